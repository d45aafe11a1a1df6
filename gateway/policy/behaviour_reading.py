"""The sections about behaviours, of all files of a policy directory, gathered and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import ValidationError

from gateway.policy.behaviour import Behaviours, PhraseList
from gateway.policy.behaviour_compile import (
    behaviour,
    exemption,
    guardrails,
    response,
    score,
    with_digest,
)
from gateway.policy.behaviour_document import BehaviourRule, PhraseListEntry
from gateway.policy.behaviour_doubts import (
    behaviour_doubts,
    exemption_doubts,
    reach_doubts,
    rung_doubts,
)
from gateway.policy.behaviour_faults import behaviour_faults, lists_named, text_faults
from gateway.policy.document import PolicyFile
from gateway.policy.faults import Fault
from gateway.policy.ladder_document import (
    ExemptionEntry,
    GuardrailsEntry,
    ResponseEntry,
    ScoreEntry,
)
from gateway.policy.ladder_faults import cap_fault, exemption_faults, response_faults
from gateway.policy.phrase_lists import (
    SUFFIX,
    beside,
    file_problems,
    phrase_fault,
    phrases_of,
)
from gateway.policy.quota import Mode
from gateway.policy.rate import NotUnderstood
from gateway.source.inside import place_inside
from gateway.source.model import Written
from gateway.source.problems import Problem
from gateway.source.wording import allowed_words, shown
from gateway.source.yaml_text import Document, Path

T = TypeVar("T")
W = TypeVar("W", bound=Written)

_ONE_FOR_ALL = ("score", "responses", "guardrails")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Something without faults of its own, and where it stands."""

    value: T
    document: Document
    path: Path
    mode: Mode = Mode.ENFORCE
    """Of the file."""

    def problem(self, fault: Fault) -> Problem:
        return located(self.document, self.path, fault)

    @property
    def where(self) -> str:
        return f"{self.document.source.file}:{self.document.value_place(self.path).line + 1}"


def located(document: Document, before: Path, fault: Fault) -> Problem:
    """`before` is the path of what the fault's own path begins at."""
    path = (*before, *fault.path)
    text = _at(document, path)
    if fault.at_key:
        place = document.key_place(path)
    elif fault.offset is None or not isinstance(text, str):
        place = document.value_place(path)
    else:
        place = place_inside(document, path, text, fault.offset)
    return document.source.problem(place, fault.message)


@dataclass(slots=True)
class BehaviourReading:
    texts: Mapping[str, str]
    """Of all files, lists of phrases among them."""
    rules: list[Found[BehaviourRule]] = field(default_factory=list)
    score: Found[ScoreEntry] | None = None
    ladder: Found[Sequence[ResponseEntry]] | None = None
    guardrails: Found[GuardrailsEntry] | None = None
    exemptions: list[Found[Sequence[ExemptionEntry]]] = field(default_factory=list)
    lists: dict[str, Found[PhraseList]] = field(default_factory=dict)
    written_lists: set[str] = field(default_factory=set)
    """Ids of all lists, also of those with faults."""
    first: dict[str, str] = field(default_factory=dict)
    """Of a section that may stand once, or the id of a list: where, as `file:line`."""
    named_files: set[str] = field(default_factory=set)

    def file(self, document: Document, file: PolicyFile | None) -> Iterator[Problem]:
        """`file` is None if something in it is wrong: what is sound in itself is read."""
        mode = _mode(document) if file is None else file.mode
        yield from self._once(document)
        yield from self._rules(document, mode)
        yield from self._consequences(document, file, mode)
        yield from self._lists(document)

    def _once(self, document: Document) -> Iterator[Problem]:
        for section in _ONE_FOR_ALL:
            if _at(document, (section,)) is not None:
                yield from self._taken(document, section, (section,), "There is one for all files")

    def _taken(self, document: Document, name: str, path: Path, rule: str) -> Iterator[Problem]:
        place = document.key_place(path)
        if name in self.first:
            message = f"{shown(name)} stands in {self.first[name]} already. {rule}: delete this."
            yield document.source.problem(place, message)
        else:
            self.first[name] = f"{document.source.file}:{place.line + 1}"

    def _rules(self, document: Document, mode: Mode) -> Iterator[Problem]:
        for at, entry in enumerate(_entries(document, "behaviours")):
            path = ("behaviours", at)
            rule = _valid(BehaviourRule, entry)
            if rule is None:
                faults = text_faults(_texts_of(entry)) if isinstance(entry, dict) else ()
                yield from (located(document, path, fault) for fault in faults)
                continue
            wrong = [located(document, path, fault) for fault in behaviour_faults(rule)]
            yield from wrong
            if not wrong:
                self.rules.append(Found(rule, document, path, mode))

    def _consequences(
        self, document: Document, file: PolicyFile | None, mode: Mode
    ) -> Iterator[Problem]:
        """Only of a file in which all values are sound: they belong together."""
        if file is None:
            return
        if file.score is not None and self.score is None:
            self.score = Found(file.score, document, ("score",))
        if file.guardrails is not None and self.guardrails is None:
            self.guardrails = Found(file.guardrails, document, ("guardrails",))
        if file.responses and self.ladder is None:
            self.ladder = Found(file.responses, document, ("responses",), mode)
        faults = [(("responses",), fault) for fault in response_faults(file.responses)]
        faults += [(("exemptions",), fault) for fault in exemption_faults(file.exemptions)]
        yield from (located(document, path, fault) for path, fault in faults)
        if file.exemptions:
            self.exemptions.append(Found(file.exemptions, document, ("exemptions",)))

    def _lists(self, document: Document) -> Iterator[Problem]:
        entries = _at(document, ("lists",))
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            path = ("lists", name)
            rule = "The id of a list is unique over all files"
            yield from self._taken(document, f"list: {name}", path, rule)
            self.written_lists.add(name)
            valid = _valid(PhraseListEntry, entry)
            if valid is None:
                continue
            phrases: tuple[str, ...] = ()
            if isinstance(valid.phrases, str):
                yield from self._list_file(document, (*path, "phrases"), valid.phrases)
                text = self.texts.get(self._beside(document, valid.phrases) or "")
                phrases = tuple(one.text for one in phrases_of(text)) if text else ()
            else:
                phrases = valid.phrases
                for at, phrase in enumerate(phrases):
                    fault = phrase_fault(phrase)
                    if fault is not None:
                        yield located(document, (*path, "phrases", at), Fault((), fault))
            unique = tuple(dict.fromkeys(phrases))
            self.lists[name] = Found(PhraseList(name, unique), document, path)

    def _beside(self, document: Document, path: str) -> str | None:
        try:
            return beside(document.source.file, path)
        except NotUnderstood:
            return None

    def _list_file(self, document: Document, path: Path, written: str) -> Iterator[Problem]:
        try:
            name = beside(document.source.file, written)
        except NotUnderstood as wrong:
            yield located(document, path, Fault((), str(wrong)))
            return
        if name not in self.texts:
            message = f"{shown(written)} does not exist beside this file."
            yield located(document, path, Fault((), message))
        elif name not in self.named_files:
            self.named_files.add(name)
            yield from file_problems(name, self.texts[name])

    def problems(self) -> Iterator[Problem]:
        """Of what stands in different places, when all files have been read."""
        for rule in self.rules:
            for fault, list_id in lists_named(rule.value):
                if list_id not in self.written_lists:
                    known = sorted(self.written_lists)
                    words = allowed_words(list_id, known) if known else "There is none: add it."
                    yield rule.problem(fault._replace(message=f"{fault.message} {words}"))
        if self.score is not None and self.ladder is not None:
            entry = self.score.value
            fault_words = cap_fault(entry.shared_evidence_cap, self.ladder.value)
            if fault_words and "shared_evidence_cap" in entry.model_fields_set:
                yield self.score.problem(Fault(("shared_evidence_cap",), fault_words))

    def warnings(self, now_us: int | None, *, complete: bool) -> Iterator[Problem]:
        """`complete`: no file has problems, so what is not there was not written."""
        for found in self.rules:
            yield from map(found.problem, behaviour_doubts(found.value))
        for exempt in self.exemptions:
            yield from map(exempt.problem, exemption_doubts(exempt.value, now_us))
        if complete:
            yield from self._unreachable()
            yield from self._idle()

    def _unreachable(self) -> Iterator[Problem]:
        if self.ladder is not None and self.rules:
            rules = [found.value for found in self.rules]
            of_score = score(self.score.value if self.score else ScoreEntry())
            for at, fault in reach_doubts(rules, self.ladder.value, of_score):
                yield self.rules[at].problem(fault)
            doubts = rung_doubts(rules, self.ladder.value, of_score)
            yield from map(self.ladder.problem, doubts)

    def _idle(self) -> Iterator[Problem]:
        """What does nothing without something else."""
        if self.rules and self.ladder is None:
            message = 'No file has "responses": what is measured has no consequence.'
            yield self.rules[0].problem(Fault((), message))
        alone = [found for found in (self.score, self.ladder, self.guardrails) if found]
        for found in [*alone, *self.exemptions] if not self.rules else ():
            message = "This does nothing: no file has behaviours."
            yield found.problem(Fault((), message, at_key=True))
        named = {list_id for rule in self.rules for _, list_id in lists_named(rule.value)}
        for list_id, listed in self.lists.items():
            if list_id not in named:
                message = f'No behaviour names this list: prompt.matches("{list_id}").'
                yield listed.problem(Fault((), message, at_key=True))

    def behaviours(self) -> Behaviours:
        """Of files without problems."""
        ladder = self.ladder
        return with_digest(
            Behaviours(
                rules=tuple(behaviour(one.value, one.mode, one.where) for one in self.rules),
                score=score(self.score.value if self.score else ScoreEntry()),
                ladder=tuple(response(step, ladder.mode) for step in ladder.value)
                if ladder
                else (),
                exemptions=tuple(
                    exemption(entry) for found in self.exemptions for entry in found.value
                ),
                guardrails=guardrails(
                    self.guardrails.value if self.guardrails else GuardrailsEntry()
                ),
                lists={name: found.value for name, found in self.lists.items()},
            )
        )


def is_policy(name: str) -> bool:
    """Of a file of a policy directory; the others are lists of phrases."""
    return not name.endswith(SUFFIX)


def _at(document: Document, path: Path) -> object:
    found: object = document.value
    for step in path:
        if isinstance(found, dict) and isinstance(step, str):
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return None
    return found


def _entries(document: Document, section: str) -> list[object]:
    entries = _at(document, (section,))
    return list(entries) if isinstance(entries, list) else []


def _mode(document: Document) -> Mode:
    written = _at(document, ("mode",))
    return Mode.SHADOW if written == Mode.SHADOW else Mode.ENFORCE


def _valid(model: type[W], entry: object) -> W | None:
    """None for what is wrong in itself, which is told elsewhere."""
    try:
        return model.model_validate(entry)
    except ValidationError:
        return None


def _texts_of(entry: dict[str, object]) -> BehaviourRule:
    """What can be read as CEL of a rule that is wrong otherwise."""
    measures = entry.get("measure")
    written = measures.items() if isinstance(measures, dict) else ()
    texts = {name: text for name, text in written if isinstance(text, str)}
    when = entry.get("when")
    return BehaviourRule.model_construct(
        measure=texts,
        when=when if isinstance(when, str) and len(texts) == len(written) else None,
        among=_text(entry.get("among")),
        applies=_text(entry.get("applies")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

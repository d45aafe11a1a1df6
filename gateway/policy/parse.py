"""The texts of a policy directory become the policies in force, or every problem of every file."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from gateway.facts.dialects.declared import DeclaredRoute
from gateway.policy.behaviour_reading import BehaviourReading, is_policy
from gateway.policy.compile import prices, quota
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.doubts import doubts, undercut
from gateway.policy.faults import Fault, condition_faults, faults
from gateway.policy.overrides import override_doubts, override_faults
from gateway.policy.prices import Prices
from gateway.policy.quota import Policies, Unit
from gateway.policy.routes import route_faults
from gateway.policy.weights import Weights
from gateway.source.inside import place_inside
from gateway.source.model import validate
from gateway.source.problems import Place, Problem, Problems, first_of
from gateway.source.wording import shown
from gateway.source.yaml_text import Document, Path, read

ROUTES_ALONE = "Routes alone limit nothing. Write a rule that holds for them."

PATTERN_CHARACTERS = 256

_SECTIONS = tuple(name for name in PolicyFile.model_fields if name != "mode")
_WITH_IDS = ("quotas", "behaviours")

Named = tuple[str, Place]
"""A name that may stand in one place only, and where it stands."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that can be said of a policy directory without traffic. For `gauger check`."""

    policies: Policies | None
    """None if there is a problem."""
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """Legal, but surely not meant."""


def load(files: Mapping[str, str]) -> Policies:
    """`files` are texts by name. Raises `Problems`: all of all files."""
    inspection = inspect(files)
    if inspection.policies is None:
        raise Problems(inspection.problems)
    return inspection.policies


def inspect(files: Mapping[str, str], now_us: int | None = None) -> Inspection:
    """Like `load`, but raises nothing and warns, too; with `now_us` also of what has ended."""
    reading = _Reading(BehaviourReading(files))
    for name in filter(is_policy, sorted(files)):
        reading.file(read(name, files[name]))
    return reading.inspection(digest(files), now_us)


def digest(files: Mapping[str, str]) -> str:
    """12 hexadecimal digits that change with every byte of every file.

    Of a name only the last part counts, so that two replicas agree wherever the directory is
    mounted. Lengths stand before names and texts: what is in one cannot look like another.
    """
    whole = hashlib.sha256()
    for name, text in sorted((name.rpartition("/")[2], text) for name, text in files.items()):
        for part in (name, text):
            encoded = part.encode(errors="surrogatepass")
            whole.update(len(encoded).to_bytes(8) + encoded)
    return whole.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule without faults of its own, and where it stands."""

    rule: QuotaRule
    file: PolicyFile
    document: Document
    path: Path

    def problem(self, fault: Fault) -> Problem:
        path = (*self.path, *fault.path)
        if fault.offset is None or self.rule.when is None:
            place = self.document.value_place(path)
        else:
            place = place_inside(self.document, path, self.rule.when, fault.offset)
        return self.document.source.problem(place, fault.message)

    @property
    def where(self) -> str:
        return f"{self.document.source.file}:{self.document.value_place(self.path).line + 1}"


@dataclass(slots=True)
class _Reading:
    """What has been gathered from the files so far."""

    behaviours: BehaviourReading
    rules: list[_Rule] = field(default_factory=list)
    prices: dict[str, Weights] = field(default_factory=dict)
    routes: list[DeclaredRoute] = field(default_factory=list)
    first_routes: list[Problem] = field(default_factory=list)
    """Of the first file that declares any: they open a way, which needs a rule."""
    problems: list[Problem] = field(default_factory=list)
    first_with_id: dict[str, str] = field(default_factory=dict)
    written_ids: list[str] = field(default_factory=list)
    """Of all quotas, also of those with faults."""
    first_with_pattern: dict[str, str] = field(default_factory=dict)
    """Where, as `file:line`."""

    def file(self, document: Document) -> None:
        problems: list[Problem] = []
        try:
            file = validate(PolicyFile, document)
        except Problems as raised:
            problems += raised.problems
            file = PolicyFile.model_construct()
            problems += self.behaviours.file(document, None)
            rules = list(_sound_rules(document))
            problems += self._conditions_of_others(document, {at for at, _ in rules})
        else:
            rules = list(enumerate(file.quotas))
            problems += self.behaviours.file(document, file)
            if not any(getattr(file, section) for section in _SECTIONS):
                place = document.value_place(("quotas",))
                message = "This file holds no rule. Write one, or delete the file."
                problems.append(document.source.problem(place, message))
        problems += self._taken(
            document,
            _written_ids(document),
            self.first_with_id,
            "Ids are unique over all files: choose another.",
        )
        of_quotas = _written_ids(document, ("quotas",))
        self.written_ids += [name.removeprefix("id: ") for name, _ in of_quotas]
        problems += self._taken(
            document,
            _written_patterns(document),
            self.first_with_pattern,
            "A model has one price: keep one of the two.",
        )
        problems += _unsound_patterns(document)
        self.prices |= prices(file.prices)
        for path, message in route_faults(file.routes, self.routes):
            place = document.value_place(("routes", *path))
            problems.append(document.source.problem(place, message))
        if file.routes and not self.first_routes:
            place = document.key_place(("routes",))
            self.first_routes.append(document.source.problem(place, ROUTES_ALONE))
        self.routes += [rule.declared for rule in file.routes]
        for at, rule in rules:
            found = _Rule(rule, file, document, ("quotas", at))
            wrong = [found.problem(fault) for fault in faults(rule)]
            problems += wrong
            if not wrong:
                self.rules.append(found)
        self.problems += first_of(problems)

    def _conditions_of_others(self, document: Document, sound: set[int]) -> Iterator[Problem]:
        """In rules that are wrong already: their conditions can be read all the same."""
        for at, entry in enumerate(_entries(document)):
            when = entry.get("when") if isinstance(entry, dict) else None
            if at not in sound and isinstance(when, str) and when:
                rule = QuotaRule.model_construct(when=when)
                found = _Rule(rule, PolicyFile.model_construct(), document, ("quotas", at))
                yield from (found.problem(fault) for fault in condition_faults(rule))

    def inspection(self, digest: str, now_us: int | None) -> Inspection:
        """When all files have been read."""
        by_id = {found.rule.id: found for found in self.rules}
        rules = {rule_id: found.rule for rule_id, found in by_id.items()}
        self.problems += [
            by_id[quota_id].problem(fault)
            for quota_id, fault in override_faults(rules, self.written_ids)
        ]
        self.problems += self.behaviours.problems()
        if not self.problems:
            self.problems += self._without_prices()
            self.problems += [] if self.rules else self.first_routes
        about_behaviours = self.behaviours.warnings(now_us, complete=not self.problems)
        if self.problems:
            warnings = tuple(sorted([*self._warnings(), *about_behaviours]))
            return Inspection(None, tuple(sorted(self.problems)), warnings)
        quotas = tuple(quota(found.rule, found.file, found.where) for found in self.rules)
        idle = [
            by_id[one.quota_id].problem(Fault(("limit", one.limit), one.message))
            for one in undercut(quotas)
        ]
        vain = [by_id[quota_id].problem(doubt) for quota_id, doubt in override_doubts(quotas)]
        warnings = tuple(sorted([*self._warnings(), *idle, *vain, *about_behaviours]))
        policies = Policies(
            quotas,
            digest,
            Prices(self.prices),
            tuple(self.routes),
            self.behaviours.behaviours(),
        )
        return Inspection(policies, (), warnings)

    def _warnings(self) -> Iterator[Problem]:
        priced = Prices(self.prices)
        return (
            found.problem(doubt)
            for found in self.rules
            for doubt in doubts(found.rule, priced, self.routes)
        )

    def _without_prices(self) -> Iterator[Problem]:
        """A budget in money without any price, and prices without any rule."""
        if self.prices and not self.rules:
            file, _, line = next(iter(self.first_with_pattern.values())).rpartition(":")
            yield Problem(file, int(line), 1, "Prices alone limit nothing. Write a rule in USD.")
        for found in [] if self.prices else self.rules:
            for at, written in enumerate(found.rule.limit):
                if written.unit is Unit.MICRO_USD:
                    message = (
                        "A limit in USD needs prices, and no file has any. Write for example: "
                        'prices: {"frontier-*": {input: 3 USD, output: 15 USD}}.'
                    )
                    yield found.problem(Fault(("limit", at), message))
                    return

    def _taken(
        self, document: Document, names: Iterable[Named], first: dict[str, str], rule: str
    ) -> Iterator[Problem]:
        """Also of what is wrong otherwise."""
        for name, place in names:
            if name in first:
                message = f"{shown(name)} is taken; first in {first[name]}. {rule}"
                yield document.source.problem(place, message)
            else:
                first[name] = f"{document.source.file}:{place.line + 1}"


def _written_ids(document: Document, sections: Iterable[str] = _WITH_IDS) -> Iterator[Named]:
    for section in sections:
        for at, entry in enumerate(_entries(document, section)):
            path: Path = (section, at, "id")
            rule_id = entry.get("id") if isinstance(entry, dict) else None
            if isinstance(rule_id, str) and path not in document.refused:
                yield f"id: {rule_id}", document.value_place(path)


def _written_patterns(document: Document) -> Iterator[Named]:
    whole = document.value
    written = whole.get("prices") if isinstance(whole, dict) else None
    for pattern in written if isinstance(written, dict) else ():
        yield pattern, document.key_place(("prices", pattern))


def _unsound_patterns(document: Document) -> Iterator[Problem]:
    for pattern, place in _written_patterns(document):
        if not pattern or len(pattern) > PATTERN_CHARACTERS or not pattern.isprintable():
            yield document.source.problem(
                place,
                f"{shown(pattern)} is not the name of a model. Write the name, or a part of it and "
                f"*, at most {PATTERN_CHARACTERS} characters.",
            )


def _entries(document: Document, section: str = "quotas") -> list[object]:
    whole = document.value
    entries = whole.get(section) if isinstance(whole, dict) else None
    return list(entries) if isinstance(entries, list) else []


def _sound_rules(document: Document) -> Iterator[tuple[int, QuotaRule]]:
    """In a file with problems, the rules that have none of their own: theirs may lie deeper."""
    for at, entry in enumerate(_entries(document)):
        try:
            yield at, QuotaRule.model_validate(entry)
        except ValidationError:
            continue

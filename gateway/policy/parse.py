"""The texts of a policy directory become the policies in force, or every problem of every file."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from gateway.policy.compile import Fault, doubts, faults, quota
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.quota import Policies, Quota
from gateway.source.model import validate
from gateway.source.problems import Problem, Problems, first_of
from gateway.source.wording import shown
from gateway.source.yaml_text import Document, Path, read


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


def inspect(files: Mapping[str, str]) -> Inspection:
    """Like `load`, but raises nothing and warns, too."""
    reading = _Reading()
    for name in sorted(files):
        reading.file(read(name, files[name]))
    problems = tuple(sorted(reading.problems))
    return Inspection(
        None if problems else Policies(tuple(reading.quotas), digest(files)),
        problems,
        tuple(sorted(reading.warnings)),
    )


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


@dataclass(slots=True)
class _Reading:
    """What has been gathered from the files so far."""

    quotas: list[Quota] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    first_with_id: dict[str, str] = field(default_factory=dict)
    """Where, as `file:line`."""

    def file(self, document: Document) -> None:
        problems: list[Problem] = []
        try:
            file = validate(PolicyFile, document)
        except Problems as raised:
            problems += raised.problems
            file = PolicyFile()
            rules = list(_sound_rules(document))
        else:
            rules = list(enumerate(file.quotas))
            if not rules:
                place = document.value_place(("quotas",))
                message = "This file holds no rule. Write one, or delete the file."
                problems.append(document.source.problem(place, message))
        problems += self._taken_ids(document)
        for at, rule in rules:
            problems += self._rule(document, file, ("quotas", at), rule)
        self.problems += first_of(problems)

    def _taken_ids(self, document: Document) -> Iterator[Problem]:
        """Also of rules that are wrong otherwise."""
        for at, entry in enumerate(_entries(document)):
            path: Path = ("quotas", at, "id")
            rule_id = entry.get("id") if isinstance(entry, dict) else None
            if not isinstance(rule_id, str) or path in document.refused:
                continue
            place = document.value_place(path)
            if rule_id in self.first_with_id:
                first = self.first_with_id[rule_id]
                yield document.source.problem(
                    place,
                    f"{shown(f'id: {rule_id}')} is taken; first in {first}. Ids are unique over "
                    "all files: choose another.",
                )
            else:
                self.first_with_id[rule_id] = f"{document.source.file}:{place.line + 1}"

    def _rule(
        self, document: Document, file: PolicyFile, path: Path, rule: QuotaRule
    ) -> list[Problem]:
        def located(fault: Fault) -> Problem:
            at, message = fault
            return document.source.problem(document.value_place((*path, *at)), message)

        problems = [located(fault) for fault in faults(rule)]
        if not problems:
            self.warnings += [located(doubt) for doubt in doubts(rule)]
            line = document.value_place(path).line + 1
            self.quotas.append(quota(rule, file, f"{document.source.file}:{line}"))
        return problems


def _entries(document: Document) -> list[object]:
    whole = document.value
    entries = whole.get("quotas") if isinstance(whole, dict) else None
    return list(entries) if isinstance(entries, list) else []


def _sound_rules(document: Document) -> Iterator[tuple[int, QuotaRule]]:
    """In a file with problems, the rules that have none of their own: theirs may lie deeper."""
    for at, entry in enumerate(_entries(document)):
        try:
            yield at, QuotaRule.model_validate(entry)
        except ValidationError:
            continue

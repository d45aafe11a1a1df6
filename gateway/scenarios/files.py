"""Scenario files on the disk, and the policies that they are about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import OperatorError
from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy.scenario import Located, read_scenarios
from gateway.policy_directory import SCENARIO, read_text, read_texts
from gateway.scenarios.run import quota_faults
from gateway.source.problems import Problem, Problems


class NoScenarios(OperatorError):
    """There is nothing to run where the operator points."""


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario and the policies by which it is judged."""

    located: Located
    policies: Policies


def read_stories(paths: Iterable[Path]) -> list[Story]:
    """Raises `NoScenarios`, `NoPolicies`, and `Problems`: all of all files."""
    stories: list[Story] = []
    problems: list[Problem] = []
    known = _Known()
    for file in dict.fromkeys(file for path in paths for file in _files(path)):
        try:
            found = read_scenarios(file.as_posix(), read_text(file))
        except Problems as raised:
            problems += raised.problems
            continue
        for located in found:
            try:
                policies = known.policies(located, file.parent)
            except Problems as raised:
                problems += raised.problems
                continue
            problems += quota_faults(located, policies)
            stories.append(Story(located, policies))
    if problems:
        raise Problems(dict.fromkeys(problems))
    return stories


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise NoScenarios(f"{path} does not exist. Name a scenario file, or a directory of them.")
    if path.is_dir():
        found = sorted(
            file for file in path.rglob("*") if file.name.endswith(SCENARIO) and _is_shown(file)
        )
        if not found:
            raise NoScenarios(
                f"{path} holds no scenario. Allowed: *.scenario.yaml, beside the policies. "
                "`gauger init DIR` writes some to begin with."
            )
        return found
    if not path.name.endswith(SCENARIO):
        raise NoScenarios(
            f"{path} is no scenario: its name does not end in .scenario.yaml. "
            f"To look for mistakes in policies: gauger check {path}"
        )
    return [path]


def _is_shown(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".")


class _Known:
    """Policies that were read already: many scenarios are about the same."""

    def __init__(self) -> None:
        self._policies: dict[tuple[Path, ...], Policies] = {}

    def policies(self, located: Located, beside: Path) -> Policies:
        """Raises `Problems`."""
        names = located.scenario.policies
        paths = tuple(beside / name for name in names) or (beside,)
        if paths not in self._policies:
            self._policies[paths] = load(dict(_texts(located, paths)))
        return self._policies[paths]


def _texts(located: Located, paths: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    for at, path in enumerate(paths):
        if located.scenario.policies and not path.exists():
            message = f"{path} does not exist. Policies are named from this file's place."
            raise Problems([located.problem(("policies", at), message)])
        yield from read_texts(path).items()

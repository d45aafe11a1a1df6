"""What is held against whom: flagged groups, and accounts with a case of their own.

Every process has a copy; `behaviour.verdicts` writes it, `behaviour.judgement` reads it. It is
bounded, and everything on it fades.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from gateway.behaviour.pool import Likeness
from gateway.behaviour.score import Evidence
from gateway.policy.behaviour import Rung, Score

MOST_GROUPS = 4_096
MOST_CASES = 100_000
MOST_LIKENESSES = 256


class Hand(StrEnum):
    CONTAIN = "contain"
    RELEASE = "release"


@dataclass(slots=True)
class Flagged:
    """A group that rules speak about: a fleet, if they speak against it."""

    key: int
    names: tuple[str, ...]
    """The facts that its members share."""
    evidence: dict[str, Evidence] = field(default_factory=dict)
    """By the rule."""
    held: Rung = Rung.NONE
    since_us: int = 0
    members: float = 0.0
    exchanges: int = 0
    likeness: Likeness | None = None
    by_hand: Hand | None = None
    """What an operator said of it; it goes before all evidence."""


@dataclass(slots=True)
class Case:
    """What is held against one account."""

    evidence: dict[tuple[str, int | None], Evidence] = field(default_factory=dict)
    """By rule and group. About a group: the account showed its trait, and has no past of its own
    that would speak for it."""
    held: Rung = Rung.NONE
    blocks: int = 0
    """How often it was blocked."""
    until_us: int = 0
    """Of its block."""


class Board:
    def __init__(self) -> None:
        self.groups: OrderedDict[int, Flagged] = OrderedDict()
        self.cases: OrderedDict[int, Case] = OrderedDict()
        self.blocked_on: dict[int, int] = {}
        """How many accounts were blocked on the last day when any was."""
        self.changed_groups: set[int] = set()
        self.changed_cases: set[int] = set()
        """What other processes have to be told."""

    def __bool__(self) -> bool:
        """Anything is held against anybody."""
        return bool(self.groups or self.cases)

    def flag(self, key: int, names: tuple[str, ...], at_us: int) -> Flagged:
        flagged = self.groups.get(key)
        if flagged is None:
            flagged = self.groups[key] = Flagged(key, names, since_us=at_us)
            if len(self.groups) > MOST_GROUPS:
                self.groups.popitem(last=False)
        else:
            self.groups.move_to_end(key)
        return flagged

    def case(self, account: int) -> Case:
        case = self.cases.get(account)
        if case is None:
            case = self.cases[account] = Case()
            if len(self.cases) > MOST_CASES:
                self.cases.popitem(last=False)
        else:
            self.cases.move_to_end(account)
        return case

    def changed_group(self, key: int) -> None:
        self.changed_groups.add(key)

    def changed_case(self, account: int) -> None:
        self.changed_cases.add(account)

    def prune(self, now_us: int, score: Score) -> None:
        """What has faded goes, but for what an operator said."""
        for key, flagged in list(self.groups.items()):
            flagged.evidence = _left(flagged.evidence, now_us, score)
            if not flagged.evidence and flagged.by_hand is None:
                del self.groups[key]
                self.changed_group(key)
        for account, case in list(self.cases.items()):
            case.evidence = _left(case.evidence, now_us, score)
            if not case.evidence and case.until_us <= now_us and not case.blocks:
                del self.cases[account]
                self.changed_case(account)

    def likenesses(self) -> list[Likeness]:
        """Of the fleets that were contained last."""
        found = [flagged.likeness for flagged in self.groups.values() if flagged.likeness]
        return found[-MOST_LIKENESSES:]


K = TypeVar("K")


def _left(evidence: dict[K, Evidence], now_us: int, score: Score) -> dict[K, Evidence]:
    return {at: one for at, one in evidence.items() if one.points_at(now_us, score)}

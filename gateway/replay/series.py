"""How much happened when, in a bounded number of equal spans of time.

Nobody knows how long a traffic file is before it has been read. So spans begin at a minute, and
when there are too many of them two become one.
"""

from dataclasses import dataclass, field

FIRST_WIDTH_US = 60_000_000
MOST_SPANS = 360
"""Merged in pairs above this: as many as a plot of a screen's width can show."""

SHARES = 20
"""In how many steps the share that is left of a limit is told."""


@dataclass(slots=True)
class Span:
    exchanges: int = 0
    refused: int = 0
    would_refuse: int = 0
    by_policy: dict[str, int] = field(default_factory=dict)
    left: list[int] = field(default_factory=lambda: [0] * SHARES)
    """Exchanges by the share left of the limit that was nearest to them; the last is all of it."""

    def add(self, other: "Span") -> None:
        self.exchanges += other.exchanges
        self.refused += other.refused
        self.would_refuse += other.would_refuse
        for policy, count in other.by_policy.items():
            self.by_policy[policy] = self.by_policy.get(policy, 0) + count
        self.left = [mine + theirs for mine, theirs in zip(self.left, other.left, strict=True)]


class Series:
    """Spans by their number since the epoch; those without any exchange are left out."""

    def __init__(self) -> None:
        self.width_us = FIRST_WIDTH_US
        self.spans: dict[int, Span] = {}
        self._begins_us = 0
        self._ends_us = -1
        self._present = Span()

    def at(self, at_us: int) -> Span:
        """The span of this moment. Time does not run backwards."""
        if not self._begins_us <= at_us < self._ends_us:
            self._turn_to(at_us)
        return self._present

    def _turn_to(self, at_us: int) -> None:
        number = at_us // self.width_us
        while self.spans and number - min(self.spans) >= MOST_SPANS:
            self._merge()
            number = at_us // self.width_us
        self._present = self.spans.setdefault(number, Span())
        self._begins_us = number * self.width_us
        self._ends_us = self._begins_us + self.width_us

    def _merge(self) -> None:
        self.width_us *= 2
        merged: dict[int, Span] = {}
        for number, span in self.spans.items():
            merged.setdefault(number // 2, Span()).add(span)
        self.spans = merged

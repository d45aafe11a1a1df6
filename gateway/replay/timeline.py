"""What is still to come of the exchanges that are under way: renewals and ends, in their order."""

import heapq

from msgspec import Struct

from gateway.admission import Permit
from gateway.decision.settlement import Delivered
from gateway.facts.usage import Usage

NEVER_US = 2**63


class Underway(Struct, frozen=True):
    """An exchange that was allowed, and how it will end."""

    permit: Permit
    end_us: int
    usage: Usage
    delivered: Delivered
    renew_every_us: int | None
    """None if it holds no slot."""


class Timeline:
    """Of two things at one moment the one that was planned first comes first."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Underway]] = []
        self._planned = 0
        self.next_us = NEVER_US

    def __len__(self) -> int:
        """How many exchanges are under way."""
        return len(self._events)

    def plan(self, after_us: int, underway: Underway) -> None:
        """The next thing of an exchange, of which the last was at `after_us`."""
        at_us = underway.end_us
        if underway.renew_every_us is not None:
            at_us = min(at_us, after_us + underway.renew_every_us)
        self._planned += 1
        heapq.heappush(self._events, (at_us, self._planned, underway))
        self.next_us = self._events[0][0]

    def pop(self) -> tuple[int, Underway]:
        """The moment, and the exchange: it ends then, or is renewed."""
        at_us, _, underway = heapq.heappop(self._events)
        self.next_us = self._events[0][0] if self._events else NEVER_US
        return at_us, underway

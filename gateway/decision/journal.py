"""Who hears of everything that admission does, so that it can be done once more (`gateway.replay`).

Each call comes in the same step in which the store's answer did, so their order is the store's.
Moments are the store's clock, in microseconds; None where it was not asked, or did not answer.
"""

from typing import Protocol

from gateway.decision.outcome import Decision
from gateway.decision.port import Reserved
from gateway.decision.settlement import Delivered
from gateway.facts.catalog import Facts
from gateway.facts.refusal import Refusal
from gateway.facts.usage import Usage


class Journal(Protocol):
    """`exchange` is the id of one. Nothing here raises or waits."""

    def decided(
        self, exchange: str, facts: Facts, decision: Decision, reserved: Reserved | None
    ) -> None: ...

    def extended(
        self, exchange: str, tokens: int, reserved: Reserved | None, refusal: Refusal | None
    ) -> None:
        """So many tokens more were asked for; None of a refusal: they were granted."""
        ...

    def renewed(self, exchange: str, at_us: int | None) -> None: ...

    def settled(
        self, exchange: str, usage: Usage, delivered: Delivered, at_us: int | None, parts: int
    ) -> None:
        """It is over. Of `parts` reservations, its extensions included, this was the first."""
        ...

    def settled_further(self, exchange: str, at_us: int | None) -> None:
        """The next of its reservations."""
        ...

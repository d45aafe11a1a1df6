"""Used minus reserved: what an exchange really costs, however it ended.

The table is in the documentation (`gateway/docs/settlement.md`); this file is the table.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.decision.plan import Charge, Estimate
from gateway.decision.port import SettledCharge
from gateway.facts.usage import Usage
from gateway.policy.quota import OnAbort, Unit
from gateway.policy.weights import TokenCounts, counts
from gateway.values import made_often


class Basis(StrEnum):
    """By what an exchange was charged."""

    REPORTED = "reported"
    """The usage that the model API reported."""
    DELIVERED = "delivered"
    """Its input and what had been passed on, both counted by us."""
    RELEASED = "released"
    """Nothing but the request itself: the model never began."""
    RESERVED = "reserved"
    """All that was reserved: the model may have worked and nobody knows how much."""


@made_often
@dataclass(frozen=True, slots=True)
class Delivered:
    """What we saw pass, where nobody reported."""

    began: bool
    """The request may have reached the model."""
    failed: bool = False
    """The model API answered with an error status."""
    output_tokens: int = 0
    """Estimated from the text of the deltas, or of the whole answer."""
    aborted: bool = False
    """We called the model off: nobody knows whether it stopped."""


@made_often
@dataclass(frozen=True, slots=True)
class Settlement:
    """The actual use, and on what it rests."""

    basis: Basis
    input_tokens: int
    output_tokens: int
    usage: Usage
    """As reported, for the trace; parts may be None."""
    aborted: bool = False
    """The model was called off and what it used is not known: see `OnAbort`."""

    @property
    def estimated(self) -> bool:
        return self.basis is not Basis.REPORTED

    def actual(self, charge: Charge) -> int:
        """What takes the place of a charge's reservation."""
        return self._actual(charge, self.counts)

    def _actual(self, charge: Charge, counts: TokenCounts) -> int:
        if charge.limit.unit is Unit.CONCURRENT:
            return 0
        weights = charge.of_tokens
        if weights is None or self.basis is Basis.RESERVED:
            return charge.amount
        used = weights.units(counts)
        keeps = self.aborted and charge.limit.on_abort is OnAbort.RESERVATION
        return max(used, charge.amount) if keeps else used

    @property
    def counts(self) -> TokenCounts:
        """By kind; what the usage does not tell of is plain input and output."""
        return counts(self.input_tokens, self.output_tokens, self.usage)

    def charges(self, charges: tuple[Charge, ...]) -> tuple[SettledCharge, ...]:
        counts = self.counts
        return tuple([SettledCharge(charge, self._actual(charge, counts)) for charge in charges])


def settlement(estimate: Estimate, usage: Usage, delivered: Delivered) -> Settlement:
    """Reported usage wins; what is missing of it is estimated; what never began is released."""
    if usage.complete:
        return Settlement(Basis.REPORTED, usage.input_tokens or 0, usage.output_tokens or 0, usage)
    told_nothing = usage.input_tokens is None and usage.output_tokens is None
    if told_nothing and (not delivered.began or delivered.failed):
        return Settlement(Basis.RELEASED, 0, 0, usage)
    return Settlement(
        Basis.DELIVERED,
        _known(usage.input_tokens, estimate.input_tokens),
        _known(usage.output_tokens, delivered.output_tokens),
        usage,
        delivered.aborted,
    )


def _known(reported: int | None, otherwise: int) -> int:
    return otherwise if reported is None else reported

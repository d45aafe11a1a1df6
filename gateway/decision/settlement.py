"""Used minus reserved: what an exchange really costs, however it ended.

The table is in the documentation (`gateway/docs/settlement.md`); this file is the table.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.decision.plan import Charge, Estimate
from gateway.decision.port import SettledCharge
from gateway.facts.usage import Usage
from gateway.policy.quota import Unit
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


@made_often
@dataclass(frozen=True, slots=True)
class Settlement:
    """The actual use, and on what it rests."""

    basis: Basis
    input_tokens: int
    output_tokens: int
    usage: Usage
    """As reported, for the trace; parts may be None."""

    @property
    def estimated(self) -> bool:
        return self.basis is not Basis.REPORTED

    def actual(self, charge: Charge) -> int:
        """What takes the place of a charge's reservation."""
        if self.basis is Basis.RESERVED and charge.limit.unit is not Unit.CONCURRENT:
            return charge.amount
        if charge.limit.unit is Unit.CONCURRENT:
            return 0
        weights = charge.of_tokens
        return charge.amount if weights is None else weights.units(self.counts)

    @property
    def counts(self) -> TokenCounts:
        """By kind; what the usage does not tell of is plain input and output."""
        return counts(self.input_tokens, self.output_tokens, self.usage)

    def charges(self, charges: tuple[Charge, ...]) -> tuple[SettledCharge, ...]:
        return tuple(SettledCharge(charge, self.actual(charge)) for charge in charges)


def settlement(estimate: Estimate, usage: Usage, delivered: Delivered) -> Settlement:
    """Reported usage wins; what is missing of it is estimated; what never began is released."""
    if usage.input_tokens is not None or usage.output_tokens is not None:
        return Settlement(
            Basis.REPORTED if usage.complete else Basis.DELIVERED,
            _known(usage.input_tokens, estimate.input_tokens),
            _known(usage.output_tokens, delivered.output_tokens),
            usage,
        )
    if not delivered.began or delivered.failed:
        return Settlement(Basis.RELEASED, 0, 0, usage)
    return Settlement(Basis.DELIVERED, estimate.input_tokens, delivered.output_tokens, usage)


def _known(reported: int | None, otherwise: int) -> int:
    return otherwise if reported is None else reported

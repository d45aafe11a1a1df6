"""Used minus reserved: what an exchange really costs, however it ended.

The table is in the documentation (`gateway/docs/settlement.md`); this file is the table.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.decision.plan import Charge, Estimate
from gateway.decision.port import SettledCharge
from gateway.facts.usage import NEVER_ABSURD_TOKENS, Usage, most_output_tokens
from gateway.policy.quota import OnAbort, Unit
from gateway.policy.weights import TokenCounts, counts
from gateway.values import made_often

_MOST_FOR_ONE_ESTIMATED = 64
"""Tokens of input. What was sent is known but for its files, and stands in four bytes each."""

_MOST_OF_A_CEILING = 4
"""Models keep to what is declared, but for servers that count thoughts beside it."""

_CLEARLY_WRITTEN = 16
"""Delivered tokens that are not written by a model which says that it wrote none."""


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
    status: int | None = None
    """Of the answer that the client got; None if none began. It settles nothing."""


@made_often
@dataclass(frozen=True, slots=True)
class Settlement:
    """The actual use, and on what it rests."""

    basis: Basis
    input_tokens: int
    output_tokens: int
    usage: Usage
    """As reported and believed, for the trace; parts may be None."""
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
    usage = _believed(estimate, usage, delivered)
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


def _believed(estimate: Estimate, usage: Usage, delivered: Delivered) -> Usage:
    """Without the counts that cannot be those of this exchange: one would fill every limit."""
    read, written = usage.input_tokens, usage.output_tokens
    if read is not None and read > max(
        estimate.input_tokens * _MOST_FOR_ONE_ESTIMATED, NEVER_ABSURD_TOKENS
    ):
        usage = replace(
            usage, input_tokens=None, cached_tokens=None, cache_write_tokens=None, absurd=True
        )
    if written is not None and not _may_have_written(written, estimate, delivered):
        usage = replace(usage, output_tokens=None, reasoning_tokens=None, absurd=True)
    return usage


def _may_have_written(written: int, estimate: Estimate, delivered: Delivered) -> bool:
    ceiling = estimate.output_tokens if estimate.declared else None
    if written == 0 and ceiling != 0:  # with a ceiling of 0 a prompt may be echoed
        return delivered.output_tokens < _CLEARLY_WRITTEN
    most = most_output_tokens(delivered.output_tokens)
    return written <= max((ceiling or 0) * _MOST_OF_A_CEILING, most)


def _known(reported: int | None, otherwise: int) -> int:
    return otherwise if reported is None else reported

"""What was decided live, as it stands in the record of an exchange: to be compared with."""

from msgspec import Struct

from gateway.decision.outcome import Decision
from gateway.decision.port import Reading
from gateway.facts.refusal import Refusal


class RecordedReading(Struct, frozen=True, array_like=True):
    """`decision.port.Reading`, with the limit that it is about."""

    meter: str
    amount: int
    ceiling: int
    used: int
    fits: bool
    charged: bool
    retry_after_us: int | None
    full_after_us: int

    def reading(self) -> Reading:
        return Reading(self.used, self.fits, self.charged, self.retry_after_us, self.full_after_us)


class RecordedReason(Struct, frozen=True, array_like=True):
    policy_id: str
    code: str
    charge: int | None = None


class RecordedDecision(Struct, frozen=True, omit_defaults=True):
    """All of a decision that says what was decided, and on what grounds."""

    verdict: str
    policies: str
    """The digest of those by which it was made."""
    store: str = "ok"
    input_tokens: int = 0
    """These three are the estimate."""
    output_tokens: int = 0
    declared: bool = False
    readings: tuple[RecordedReading, ...] = ()
    reasons: tuple[RecordedReason, ...] = ()
    binding: int | None = None
    refusal: str | None = None
    """A `RefusalKind`."""
    retry_after_us: int | None = None
    """Without the jitter."""


def recorded_decision(decision: Decision) -> RecordedDecision:
    estimate, refusal = decision.estimate, decision.refusal
    return RecordedDecision(
        verdict=decision.verdict.value,
        policies=decision.digest,
        store=decision.store.value,
        input_tokens=estimate.input_tokens if estimate else 0,
        output_tokens=estimate.output_tokens if estimate else 0,
        declared=estimate.declared if estimate else False,
        readings=tuple(
            RecordedReading(
                charge.limit.meter,
                charge.amount,
                charge.limit.ceiling,
                reading.used,
                reading.fits,
                reading.charged,
                reading.retry_after_us,
                reading.full_after_us,
            )
            for charge, reading in zip(decision.charges, decision.readings, strict=False)
        ),
        reasons=tuple(RecordedReason(r.policy_id, r.code, r.charge) for r in decision.reasons),
        binding=decision.binding,
        refusal=refusal.kind.value if refusal else None,
        retry_after_us=waits_us(refusal, decision.later_us),
    )


def waits_us(refusal: Refusal | None, later_us: int = 0) -> int | None:
    if refusal is None or refusal.retry_after_us is None:
        return None
    return refusal.retry_after_us - later_us

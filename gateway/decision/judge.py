"""A plan and what the store read make a decision. No clock, no waiting, no text of the caller's."""

from dataclasses import dataclass

from gateway.decision.outcome import Decision, Reason, StoreState, Verdict
from gateway.decision.plan import Charge, Plan
from gateway.decision.port import Reading, Reserved
from gateway.facts.refusal import QuotaState, Refusal, RefusalKind
from gateway.policy.quota import SECOND_US, Quota, Unit

CONCURRENCY_RETRY_US = SECOND_US
"""Nobody can foresee when another exchange ends."""


def judge(plan: Plan, reserved: Reserved | None, quotas: dict[str, Quota]) -> Decision:
    """`reserved` is None if nothing had to be asked: no quota matched."""
    if plan.refused_by is not None:
        return _refused_for_missing_fact(plan, plan.refused_by)
    readings = reserved.readings if reserved else ()
    charges = plan.charges
    refusing = [
        i
        for i, (charge, reading) in enumerate(zip(charges, readings, strict=True))
        if not reading.fits and not charge.shadow
    ]
    refused = bool(refusing)
    binding = (
        _longest_wait(charges, readings, refusing) if refused else _scarcest(charges, readings)
    )
    return Decision(
        verdict=Verdict.REFUSE if refused else Verdict.ALLOW,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=charges,
        readings=readings,
        binding=binding,
        reasons=tuple(_reasons(charges, readings, quotas)),
        refusal=_refusal(charges[binding], readings[binding])
        if refused and binding is not None
        else None,
        store=StoreState.OK if reserved else StoreState.UNUSED,
        quota_states=tuple(
            _shown(charge, reading)
            for charge, reading in zip(charges, readings, strict=True)
            if not charge.shadow
        ),
    )


def store_unavailable(plan: Plan) -> Decision:
    """The store did not answer and nothing else may decide: refuse, and for a moment only."""
    return Decision(
        verdict=Verdict.REFUSE,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=plan.charges,
        readings=(),
        binding=None,
        reasons=(
            Reason("store", "store_unavailable", "The store that counts quotas does not answer."),
        ),
        refusal=Refusal(
            RefusalKind.STORE_UNAVAILABLE,
            "The gateway cannot check quotas at the moment. Retry in 1 s.",
            retry_after_us=SECOND_US,
        ),
        store=StoreState.UNAVAILABLE,
    )


def _refused_for_missing_fact(plan: Plan, quota: Quota) -> Decision:
    names = ", ".join(quota.per)
    return Decision(
        verdict=Verdict.REFUSE,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=(),
        readings=(),
        binding=None,
        reasons=(Reason(quota.id, "missing_fact", quota.why),),
        refusal=Refusal(
            RefusalKind.MALFORMED, f"This request lacks what quota {quota.id} counts by: {names}."
        ),
        store=StoreState.UNUSED,
    )


def _longest_wait(
    charges: tuple[Charge, ...], readings: tuple[Reading, ...], refusing: list[int]
) -> int:
    """The refusal that decides when to come back: never, then the longest, then in flight."""

    def wait(i: int) -> tuple[int, int]:
        if charges[i].limit.unit is Unit.CONCURRENT:
            return (0, CONCURRENCY_RETRY_US)
        after_us = readings[i].retry_after_us
        return (2, 0) if after_us is None else (1, after_us)

    return max(refusing, key=wait)


def _scarcest(charges: tuple[Charge, ...], readings: tuple[Reading, ...]) -> int | None:
    """The limit of which the smallest share is left."""
    enforced = [i for i, charge in enumerate(charges[: len(readings)]) if not charge.shadow]
    if not enforced:
        return None
    return min(
        enforced,
        key=lambda i: (charges[i].limit.ceiling - readings[i].used) / charges[i].limit.ceiling,
    )


def _reasons(
    charges: tuple[Charge, ...], readings: tuple[Reading, ...], quotas: dict[str, Quota]
) -> list[Reason]:
    reasons: list[Reason] = []
    for charge, reading in zip(charges, readings, strict=True):
        if reading.fits:
            continue
        in_flight = charge.limit.unit is Unit.CONCURRENT
        never = reading.retry_after_us is None and not in_flight
        code = "never_fits" if never else "quota_exceeded"
        if charge.shadow:
            code = "would_refuse"
        quota = quotas[charge.limit.quota_id]
        reasons.append(Reason(quota.id, code, quota.why))
    return reasons


def _refusal(charge: Charge, reading: Reading) -> Refusal:
    limit = charge.limit
    if limit.unit is Unit.CONCURRENT:
        return Refusal(
            RefusalKind.CONCURRENCY,
            f"Limit of {limit.amount} requests in flight reached. Retry when one has ended.",
            retry_after_us=CONCURRENCY_RETRY_US,
        )
    described = f"{limit.amount:,} {_spoken(limit.unit, limit.amount)} {_per(limit.window_us)}"
    if reading.retry_after_us is None:
        return Refusal(
            RefusalKind.NEVER_FITS,
            f"This request reserves {charge.amount:,} {_spoken(limit.unit, charge.amount)}, more "
            f"than the limit of {described} can ever grant. Ask for less (max_tokens, n, or a "
            "shorter prompt); waiting does not help.",
            field="max_tokens" if limit.unit is not Unit.INPUT_TOKENS else None,
        )
    wait_s = -(-reading.retry_after_us // SECOND_US)
    return Refusal(
        RefusalKind.RATE,
        f"Limit of {described} reached. Retry in {wait_s:,} s.",
        retry_after_us=reading.retry_after_us,
    )


def _shown(charge: Charge, reading: Reading) -> QuotaState:
    limit = charge.limit
    return QuotaState(
        name=limit.quota_id,
        unit=limit.unit.value,
        limit=limit.amount,
        remaining=max(0, min(limit.amount, limit.ceiling - reading.used)),
        window_us=None if limit.unit is Unit.CONCURRENT else limit.window_us,
        full_after_us=reading.full_after_us,
        retry_after_us=None if reading.fits else reading.retry_after_us,
        refused=not reading.fits,
    )


@dataclass(frozen=True, slots=True)
class _Span:
    us: int
    name: str


_SPANS = (
    _Span(7 * 86_400 * SECOND_US, "week"),
    _Span(86_400 * SECOND_US, "day"),
    _Span(3_600 * SECOND_US, "hour"),
    _Span(60 * SECOND_US, "minute"),
    _Span(SECOND_US, "second"),
)


def _per(window_us: int) -> str:
    """`a minute`, `per 15 minutes`."""
    for span in _SPANS:
        if window_us == span.us:
            return f"an {span.name}" if span.name == "hour" else f"a {span.name}"
        if window_us % span.us == 0:
            return f"per {window_us // span.us} {span.name}s"
    return f"per {window_us / SECOND_US:g} seconds"


def _spoken(unit: Unit, amount: int) -> str:
    word = unit.value.replace("_", " ")
    return word[:-1] if amount == 1 else word

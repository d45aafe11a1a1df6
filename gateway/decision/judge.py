"""A plan and what the store read make a decision. No clock, no waiting, no text of the caller's."""

from gateway.behaviour.standing import Standing
from gateway.decision.hand import Ban
from gateway.decision.outcome import Decision, Reason, Verdict
from gateway.decision.plan import Charge, Lack, Plan
from gateway.decision.port import Reading, Reserved, StoreState
from gateway.decision.responses import FLEET
from gateway.decision.responses import refusal as refused_by
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.behaviour import Rung
from gateway.policy.quota import SECOND_US, Quota, Unit
from gateway.policy.spoken import spoken_amount, spoken_limit

CONCURRENCY_RETRY_US = SECOND_US
"""Nobody can foresee when another exchange ends."""


SUSPENDED = Refusal(
    RefusalKind.BLOCKED, "This account is suspended. Contact whoever gave you the key."
)


def judge(
    plan: Plan, reserved: Reserved | None, quotas: dict[str, Quota], later_us: int = 0
) -> Decision:
    """`reserved` is None if nothing had to be asked: no quota matched.

    Who is refused is told to come back `later_us` later than he would be admitted.
    """
    held = refused_by(plan.standing)
    if held is not None:
        return _held(plan, held)
    if plan.refused_by is not None:
        return _refused_for_a_lack(plan, plan.refused_by)
    if reserved and reserved.hand.ban:
        return _blocked(plan, reserved.hand.ban)
    readings = reserved.readings if reserved else ()
    charges = reserved.hand.on(plan.charges) if reserved else plan.charges
    binding, refusal = None, None
    refusing = [] if reserved is None or reserved.admitted else _refusing(charges, readings)
    if refusing:
        binding = _longest_wait(charges, readings, refusing)
        refusal = _refusal(charges[binding], readings[binding], later_us)
    else:
        binding = _scarcest(charges, readings)
    return Decision(
        Verdict.ALLOW if refusal is None else Verdict.REFUSE,
        plan.digest,
        plan.estimate,
        charges,
        readings,
        binding,
        (
            *_reasons(charges, readings, quotas),
            *_lacking_in_shadow(plan),
            *_behaviours(plan.standing),
        ),
        refusal,
        reserved.state if charges and reserved else StoreState.UNUSED,
        plan.gaps,
        plan.overridden,
        later_us if refusal is not None else 0,
        plan.standing,
    )


def store_unavailable(
    plan: Plan, why: str = "The store that counts quotas does not answer.", later_us: int = 0
) -> Decision:
    """The store did not answer and nothing else may decide: refuse, and for a moment only."""
    wait_us = SECOND_US + later_us
    return Decision(
        verdict=Verdict.REFUSE,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=plan.charges,
        readings=(),
        binding=None,
        reasons=(Reason("store", "store_unavailable", why),),
        refusal=Refusal(
            RefusalKind.STORE_UNAVAILABLE,
            f"The gateway cannot check quotas at the moment. Retry in {_seconds(wait_us)} s.",
            retry_after_us=wait_us,
        ),
        store=StoreState.UNAVAILABLE,
        gaps=plan.gaps,
        overridden=plan.overridden,
    )


def _blocked(plan: Plan, ban: Ban) -> Decision:
    """The caller is told neither until when nor why: that is between it and the operator."""
    return Decision(
        verdict=Verdict.REFUSE,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=(),
        readings=(),
        binding=None,
        reasons=(Reason("operator", ban.code, ban.why),),
        refusal=SUSPENDED,
        store=StoreState.OK,
        gaps=plan.gaps,
        overridden=plan.overridden,
    )


def _held(plan: Plan, refusal: Refusal) -> Decision:
    """By what it did, whatever its quotas are; nobody is asked and nothing is charged."""
    return Decision(
        verdict=Verdict.REFUSE,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=(),
        readings=(),
        binding=None,
        reasons=_behaviours(plan.standing),
        refusal=refusal,
        store=StoreState.UNUSED,
        gaps=plan.gaps,
        standing=plan.standing,
    )


def _behaviours(standing: Standing) -> tuple[Reason, ...]:
    """The rules that speak against the exchange, if anything follows from them."""
    if standing.response is Rung.NONE and standing.shadow is Rung.NONE:
        return ()
    code = "would_respond" if standing.response is Rung.NONE else standing.response.word
    named = dict.fromkeys((one.rule, one.why) for one in standing.evidence)
    return tuple([Reason(rule, code, why) for rule, why in named])


def _refused_for_a_lack(plan: Plan, quota: Quota) -> Decision:
    if plan.lack is Lack.PRICE:
        refusal = Refusal(
            RefusalKind.MALFORMED,
            f"This model has no price, and quota {quota.id} admits none without. Ask for another "
            "model.",
            field="model",
        )
    else:
        names = ", ".join(quota.per)
        refusal = Refusal(
            RefusalKind.MALFORMED, f"This request lacks what quota {quota.id} counts by: {names}."
        )
    return Decision(
        verdict=Verdict.REFUSE,
        digest=plan.digest,
        estimate=plan.estimate,
        charges=(),
        readings=(),
        binding=None,
        reasons=(Reason(quota.id, plan.lack.value, quota.why), *_lacking_in_shadow(plan)),
        refusal=refusal,
        store=StoreState.UNUSED,
        gaps=plan.gaps,
        overridden=plan.overridden,
    )


def _refusing(charges: tuple[Charge, ...], readings: tuple[Reading, ...]) -> list[int]:
    pairs = enumerate(zip(charges, readings, strict=True))
    return [i for i, (charge, reading) in pairs if not reading.fits and not charge.shadow]


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
    scarcest, least = None, 0.0
    for i, (charge, reading) in enumerate(zip(charges, readings, strict=True)):
        if not charge.shadow:
            left = 1 - reading.used / charge.limit.ceiling
            if scarcest is None or left < least:
                scarcest, least = i, left
    return scarcest


def _reasons(
    charges: tuple[Charge, ...], readings: tuple[Reading, ...], quotas: dict[str, Quota]
) -> list[Reason]:
    reasons: list[Reason] = []
    for i, (charge, reading) in enumerate(zip(charges, readings, strict=True)):
        quota = quotas.get(charge.limit.quota_id)
        if quota is None:
            continue  # a fleet's budget: the behaviours say why
        if reading.fits and quota.warn_at_percent is None:
            continue
        code = _code(charge, reading, quota)
        if code:
            reasons.append(Reason(quota.id, code, quota.why, charge=i))
    return reasons


def _code(charge: Charge, reading: Reading, quota: Quota) -> str | None:
    """None where there is nothing to tell."""
    if reading.fits:
        return "near_limit" if reading.charged and _is_near(charge, reading, quota) else None
    if charge.shadow:
        return "would_refuse"
    in_flight = charge.limit.unit is Unit.CONCURRENT
    return "never_fits" if reading.retry_after_us is None and not in_flight else "quota_exceeded"


def _is_near(charge: Charge, reading: Reading, quota: Quota) -> bool:
    percent = quota.warn_at_percent
    return percent is not None and reading.used * 100 >= charge.limit.ceiling * percent


def _lacking_in_shadow(plan: Plan) -> list[Reason]:
    return [Reason(quota.id, "would_refuse", quota.why) for quota in plan.would_refuse]


def _seconds(us: int) -> str:
    """Rounded up."""
    return f"{-(-us // SECOND_US):,}"


def _refusal(charge: Charge, reading: Reading, later_us: int) -> Refusal:
    limit = charge.bought or charge.limit
    if limit.unit is Unit.CONCURRENT:
        what = "request" if limit.amount == 1 else "requests"
        return Refusal(
            RefusalKind.CONCURRENCY,
            f"Limit of {limit.amount:,} {what} in flight reached. Retry when one has ended.",
            retry_after_us=CONCURRENCY_RETRY_US + later_us,
        )
    described = "requests" if limit.quota_id == FLEET else spoken_limit(limit)
    if reading.retry_after_us is None:
        return Refusal(
            RefusalKind.NEVER_FITS,
            f"This request reserves {spoken_amount(limit.unit, charge.amount)}, more than the "
            f"limit of {described} can ever grant. Ask for less (max_tokens, n, or a shorter "
            "prompt); waiting does not help.",
            field=None if limit.unit in (Unit.INPUT_TOKENS, Unit.CACHED_TOKENS) else "max_tokens",
        )
    wait_us = reading.retry_after_us + later_us
    return Refusal(
        RefusalKind.RATE,
        f"Limit of {described} reached. Retry in {_seconds(wait_us)} s.",
        retry_after_us=wait_us,
    )

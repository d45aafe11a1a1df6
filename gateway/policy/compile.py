"""Rules as they were written become quotas as they are counted. Every cost is paid here, once."""

from collections.abc import Mapping
from fractions import Fraction

from gateway.policy.document import ModelPrice, PolicyFile, QuotaRule, TokenWeights
from gateway.policy.predicate import condition
from gateway.policy.quota import Limit, Quota, Unit, WindowKind
from gateway.policy.rate import Rate
from gateway.policy.weights import ONE, Weights

DEFAULT_PLAN = "default"
"""In `scale`: of the plans that are not listed."""


def quota(rule: QuotaRule, file: PolicyFile, where: str) -> Quota:
    """`where` is the rule's `file:line`. The rule has no `policy.faults`."""
    return Quota(
        id=rule.id,
        why=rule.why,
        limits=limits(rule, rule.scale.get(DEFAULT_PLAN, Fraction(1))),
        per=rule.per,
        missing=rule.missing,
        mode=rule.mode if rule.wrote("mode") else file.mode,
        where=where,
        when=None if rule.when is None else condition(rule.when),
        by_plan={plan: limits(rule, factor) for plan, factor in rule.scale.items()},
        warn_at_percent=rule.warn_at,
        unpriced=rule.unpriced,
        overrides=rule.overrides,
        always=rule.always,
    )


def limits(rule: QuotaRule, factor: Fraction = Fraction(1)) -> tuple[Limit, ...]:
    """All of a rule, each so many times as large as it was written."""
    return tuple(limit(rule, written, factor) for written in rule.limit)


def limit(rule: QuotaRule, written: Rate, factor: Fraction = Fraction(1)) -> Limit:
    """Rounded down to whole units, but never to nothing."""
    burst = rule.burst.amount if rule.burst else written.amount
    kind = WindowKind(rule.window) if written.window_us else WindowKind.IN_FLIGHT
    calendar = kind is WindowKind.CALENDAR
    return Limit(
        quota_id=rule.id,
        unit=written.unit,
        kind=kind,
        amount=max(1, int(written.amount * factor)),
        window_us=written.window_us,
        burst=max(1, int(burst * factor)),
        lease_us=rule.lease,
        weights=_weights(rule.weights) if rule.weights and written.unit is Unit.TOKENS else None,
        period=written.period if calendar else None,
        timezone=rule.timezone if calendar else "",
        on_abort=rule.on_abort,
        on_store_failure=rule.on_store_failure,
    )


def price(of: ModelPrice) -> Weights:
    """In micro-USD for a million tokens: the weight of one token, in millionths."""
    return Weights(
        input=of.input,
        cached=of.input if of.cached is None else of.cached,
        cache_write=of.input if of.cache_write is None else of.cache_write,
        output=of.output,
        reasoning=of.output if of.reasoning is None else of.reasoning,
    )


def prices(written: Mapping[str, ModelPrice]) -> dict[str, Weights]:
    return {pattern: price(of) for pattern, of in written.items()}


def _weights(of: TokenWeights) -> Weights:
    return Weights(
        input=int(of.input * ONE),
        cached=int((of.input if of.cached is None else of.cached) * ONE),
        cache_write=int((of.input if of.cache_write is None else of.cache_write) * ONE),
        output=int(of.output * ONE),
        reasoning=int((of.output if of.reasoning is None else of.reasoning) * ONE),
    )

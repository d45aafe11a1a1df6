"""What is legal but surely not meant. `gauger check` warns of it."""

from collections.abc import Hashable, Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from gateway.facts.catalog import CATALOG, Fact, ToldBy
from gateway.policy.document import QuotaRule
from gateway.policy.faults import Fault
from gateway.policy.predicate import condition
from gateway.policy.prices import Prices
from gateway.policy.quota import Limit, Missing, Quota, Unit
from gateway.policy.rate import Rate
from gateway.source.wording import shown

_WHAT_HAPPENS = {
    Missing.ACCOUNT: "is counted by its account",
    Missing.SKIP: "is not held to this quota",
    Missing.REFUSE: "is refused",
}


def doubts(rule: QuotaRule, prices: Prices) -> Iterator[Fault]:
    """Of one rule without faults; `prices` are those of all files."""
    if not rule.why:
        yield Fault(
            (), f'{shown(rule.id)} has no "why". Add one sentence for whoever reads the trace.'
        )
    yield from _partition_doubts(rule)
    if rule.when is not None:
        for offset, message in condition(rule.when).doubts:
            yield Fault(("when",), message, offset)
    in_money = any(written.unit is Unit.MICRO_USD for written in rule.limit)
    if in_money and not rule.wrote("unpriced") and not prices.complete:
        yield Fault(
            (),
            'A model without a price costs as much as the dearest one, since "unpriced" says '
            "nothing else. Write it: unpriced: dearest, refuse or free.",
        )
    if rule.wrote("burst"):
        yield from _idle_buckets(rule)


class Idle(NamedTuple):
    """A limit that never binds."""

    quota_id: str
    limit: int
    """Which of its limits."""
    message: str


def undercut(quotas: Iterable[Quota]) -> Iterator[Idle]:
    """Limits for which another quota always refuses first.

    Only the plain case is found: all but the amount is the same.
    """
    alike: dict[Hashable, list[tuple[Quota, int]]] = {}
    for quota in quotas:
        for at, limit in enumerate(quota.limits):
            alike.setdefault(_all_but_the_amount(quota, limit), []).append((quota, at))
    for group in alike.values():
        lowest, at_lowest = min(group, key=lambda one: one[0].limits[one[1]].amount)
        for quota, at in group:
            if quota is not lowest and _never_lower(quota, at, lowest, at_lowest):
                yield Idle(
                    quota.id,
                    at,
                    f"This limit never binds: {shown(lowest.id)} counts the same and grants no "
                    "more. Delete one of the two.",
                )


def _all_but_the_amount(quota: Quota, limit: Limit) -> Hashable:
    of_limit = (limit.unit, limit.kind, limit.window_us, limit.timezone, limit.weights)
    return quota.per, quota.when, quota.missing, quota.mode, quota.unpriced, of_limit


def _never_lower(quota: Quota, at: int, than: Quota, at_than: int) -> bool:
    plans = [None, *quota.by_plan, *than.by_plan]
    pairs = [(quota.limits_of(plan)[at], than.limits_of(plan)[at_than]) for plan in plans]
    return all(mine.amount >= its.amount and mine.burst >= its.burst for mine, its in pairs)


def _partition_doubts(rule: QuotaRule) -> Iterator[Fault]:
    endless = [name for name in rule.per if CATALOG[name].endless]
    if endless and not any(CATALOG[name].party for name in rule.per):
        yield Fault(
            ("per",),
            f"Callers choose {endless[0]} themselves, and each new value has a fresh allowance. "
            "Add what they cannot choose: per: [account, ...].",
        )
    missing = [name for name in rule.per if _is_often_missing(CATALOG[name])]
    if missing and not rule.wrote("missing"):
        yield Fault(
            ("per",),
            f"A request without {missing[0]} {_WHAT_HAPPENS[rule.missing]}, since "
            '"missing" says nothing else. Write it: missing: account, skip or refuse.',
        )


def _is_often_missing(fact: Fact) -> bool:
    """Of a model and an address only a few requests have none, and those use no model."""
    told_by_few = fact.told_by is ToldBy.CREDENTIAL or fact.name == "request.end_user"
    return told_by_few and fact.missing is not None


def _idle_buckets(rule: QuotaRule) -> Iterator[Fault]:
    pace = {at: _pace(written) for at, written in enumerate(rule.limit) if written.window_us}
    for at, units_per_us in pace.items():
        if units_per_us > min(pace.values()):
            yield Fault(
                ("limit", at),
                "This limit never binds: of buckets with one burst, only the slowest does.",
            )


def _pace(written: Rate) -> Fraction:
    return Fraction(written.amount, written.window_us)

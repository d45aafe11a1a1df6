"""What is legal but surely not meant. `gauger check` warns of it."""

from collections.abc import Hashable, Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from gateway.facts.catalog import CATALOG, Fact, ToldBy
from gateway.facts.client_sdk import SDKS
from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.exchange import RouteName
from gateway.policy.compile import limit
from gateway.policy.document import QuotaRule
from gateway.policy.faults import Fault
from gateway.policy.predicate import Condition, condition
from gateway.policy.prices import Prices
from gateway.policy.quota import Limit, Missing, Quota, Unit, WindowKind
from gateway.policy.rate import Rate
from gateway.policy.spoken import spoken_amount, spoken_limit
from gateway.policy.truths import certain, impossible
from gateway.source.wording import shown

_CLOSED = {"request.dialect": ("openai", "anthropic", "gemini"), "client.sdk": SDKS}
"""Facts with all values that they have."""

_HINTS = ("request.end_user", "request.session")
"""What only some clients send."""

_PLAUSIBLE = {
    Unit.TOKENS: 50,
    Unit.INPUT_TOKENS: 20,
    Unit.OUTPUT_TOKENS: 10,
    Unit.REASONING_TOKENS: 10,
    Unit.CACHED_TOKENS: 20,
    Unit.MICRO_USD: 5,
}
"""What hardly any request stays below. Whoever writes less forgot the k or the M."""

_WHAT_HAPPENS = {
    Missing.ACCOUNT: "is counted by its account",
    Missing.SKIP: "is not held to this quota",
    Missing.REFUSE: "is refused",
}


def doubts(
    rule: QuotaRule, prices: Prices, routes: Iterable[DeclaredRoute] = ()
) -> Iterator[Fault]:
    """Of one rule without faults; `prices` and declared `routes` are those of all files."""
    if not rule.why:
        yield Fault(
            (), f'{shown(rule.id)} has no "why". Add one sentence for whoever reads the trace.'
        )
    yield from _partition_doubts(rule)
    if rule.when is not None:
        sound = condition(rule.when)
        for offset, message in sound.doubts:
            yield Fault(("when",), message, offset)
        yield from _truth_doubts(sound, routes)
    in_money = any(written.unit is Unit.MICRO_USD for written in rule.limit)
    if in_money and not rule.wrote("unpriced") and not prices.complete:
        yield Fault(
            (),
            'A model without a price costs as much as the dearest one, since "unpriced" says '
            "nothing else. Write it: unpriced: dearest, refuse or free.",
        )
    if rule.wrote("burst"):
        yield from _idle_buckets(rule)
    yield from _tiny_limits(rule)


class Idle(NamedTuple):
    """A limit that never binds."""

    quota_id: str
    limit: int
    """Which of its limits."""
    message: str


_Counted = tuple[Quota, int]
"""A quota, and which of its limits."""


def undercut(quotas: Iterable[Quota]) -> Iterator[Idle]:
    """Limits for which another one always refuses first.

    Only plain cases are found: the same is counted, by the same facts, and the other grants no more
    in the same window (in true windows also: in a longer one), and nothing overrides it.
    """
    quotas = tuple(quotas)
    overridden = {other for quota in quotas for other in quota.overrides}
    alike: dict[Hashable, dict[Hashable, list[_Counted]]] = {}
    for quota in quotas:
        for at, of in enumerate(quota.limits):
            by_condition = alike.setdefault(_what_is_counted(quota, of), {})
            by_condition.setdefault(quota.when, []).append((quota, at))
    for by_condition in alike.values():
        strongest = {
            when: _strongest([one for one in group if one[0].id not in overridden])
            for when, group in by_condition.items()
        }
        for when, group in by_condition.items():
            others = strongest[when] + (strongest.get(None, []) if when is not None else [])
            beside: dict[str, list[_Counted]] = {}
            for one in group:
                if one[0].id in overridden:  # and with it its other limits
                    beside.setdefault(one[0].id, []).append(one)
            for one in group:
                if one[0].overrides:
                    continue  # its limit is not all that it is for
                over = others + beside.get(one[0].id, [])
                by = next((it for it in over if it is not one and _never_lower(one, it)), None)
                if by is not None:
                    yield Idle(one[0].id, one[1], _idle(one, by))


def _strongest(group: list[_Counted]) -> list[_Counted]:
    """Those of which no other grants less in a window as long: few, however many there are."""
    found: list[_Counted] = []
    for one in sorted(group, key=lambda it: (_limit(it).amount, -_limit(it).window_us)):
        if not found or _limit(one).window_us > _limit(found[-1]).window_us:
            found.append(one)
    return found


def _idle(one: _Counted, by: _Counted) -> str:
    if one[0] is by[0]:
        return (
            f"This limit never binds: {spoken_limit(_limit(by))} beside it grants no more in a "
            "longer window. Delete one of the two."
        )
    return (
        f"This limit never binds: {shown(by[0].id)} counts the same and grants no more. Delete one "
        "of the two."
    )


def _limit(one: _Counted) -> Limit:
    return one[0].limits[one[1]]


def _what_is_counted(quota: Quota, limit: Limit) -> Hashable:
    window_us = None if limit.kind is WindowKind.SLIDING else limit.window_us
    of_limit = (limit.unit, limit.kind, window_us, limit.timezone, limit.weights)
    exceptions = (quota.missing, quota.unpriced, limit.on_abort, limit.on_store_failure)
    return quota.per, quota.mode, exceptions, of_limit


def _never_lower(one: _Counted, than: _Counted) -> bool:
    """In no plan, and what the other counts in its window holds this one's."""
    (quota, at), (other, at_other) = one, than
    if _limit(one).window_us > _limit(than).window_us:
        return False
    plans = [None, *quota.by_plan, *other.by_plan]
    pairs = [(quota.limits_of(plan)[at], other.limits_of(plan)[at_other]) for plan in plans]
    return all(mine.amount >= its.amount and mine.burst >= its.burst for mine, its in pairs)


def _truth_doubts(sound: Condition, routes: Iterable[DeclaredRoute]) -> Iterator[Fault]:
    names = {*RouteName, *(declared.route.name for declared in routes)}
    values = {**_CLOSED, "request.route": names}
    if (fact := impossible(sound.root, values)) is not None:
        known = f" Its values: {', '.join(sorted(values[fact]))}." if fact in values else ""
        yield Fault(
            ("when",),
            f"This condition never holds, whatever {fact} is.{known}",
            0,
        )
    elif (fact := certain(sound.root, values)) is not None:
        yield Fault(
            ("when",),
            f"This condition always holds, whatever {fact} is. Delete it, or ask for something "
            "else.",
            0,
        )


def _tiny_limits(rule: QuotaRule) -> Iterator[Fault]:
    smallest = min([Fraction(1), *rule.scale.values()])
    for at, written in enumerate(rule.limit):
        least = _PLAUSIBLE.get(written.unit, 0)
        ceiling = limit(rule, written, smallest).ceiling
        if ceiling < least:
            amount = spoken_amount(written.unit, ceiling)
            yield Fault(
                ("limit", at),
                f"A ceiling of {amount} is less than almost any request takes, so this admits "
                "next to nothing. A thousand is 1k, a million 1M.",
            )


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
    told_by_few = fact.told_by is ToldBy.CREDENTIAL or fact.name in _HINTS
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

"""What is wrong with a rule although each of its values may stand alone."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from gateway.policy.compile import limit
from gateway.policy.document import QuotaRule
from gateway.policy.predicate import ConditionFaults, condition
from gateway.policy.quota import Period, Unit
from gateway.policy.rate import MAX_AMOUNT, MAX_WINDOW_US, Rate
from gateway.source.yaml_text import Path


class Fault(NamedTuple):
    path: Path
    """Where, from the rule on."""
    message: str
    offset: int | None = None
    """In characters, of the text that stands there."""
    at_key: bool = False
    """It is the key that is wrong."""


def faults(rule: QuotaRule) -> Iterator[Fault]:
    """Keys that contradict each other, or of which one would do nothing."""
    over_time = [written for written in rule.limit if written.window_us]
    if over_time:
        yield from _window_faults(rule, over_time)
    else:
        for key in ("window", "timezone", "burst"):
            if rule.wrote(key):
                yield Fault(
                    (key,),
                    f'"{key}" does nothing here: what is in flight has no window. Delete it.',
                )
    if rule.wrote("lease") and len(over_time) == len(rule.limit):
        yield Fault(
            ("lease",), '"lease" is for a concurrent limit, and this rule has none. Delete it.'
        )
    yield from _unit_faults(rule)
    yield from _scale_faults(rule)
    yield from condition_faults(rule)
    yield from _repeated("limit", [limit(rule, written).meter for written in rule.limit])
    yield from _repeated("per", list(rule.per))
    yield from _repeated("overrides", list(rule.overrides))


def _window_faults(rule: QuotaRule, over_time: list[Rate]) -> Iterator[Fault]:
    if rule.wrote("burst") and rule.window != "bucket":
        yield Fault(
            ("burst",),
            f'"burst" does nothing in a {rule.window} window. Write window: bucket, or delete '
            '"burst".',
        )
    elif rule.window == "bucket":
        yield from _bucket_faults(rule, over_time)
    if rule.window == "calendar":
        for at, written in enumerate(rule.limit):
            if written.window_us and written.period is None:
                yield Fault(
                    ("limit", at),
                    f"No calendar has such a window. Allowed: {', '.join(Period)}, one at a time.",
                )
    elif rule.wrote("timezone"):
        yield Fault(
            ("timezone",),
            f'"timezone" does nothing in a {rule.window} window. Write window: calendar, or delete '
            '"timezone".',
        )


def _bucket_faults(rule: QuotaRule, over_time: list[Rate]) -> Iterator[Fault]:
    if rule.burst and len({written.unit for written in over_time}) > 1:
        yield Fault(
            ("burst",),
            '"burst" is one amount, but the limits count different units. Make two rules.',
        )
        return
    for written in over_time:
        if rule.burst and rule.burst.money != (written.unit is Unit.MICRO_USD):
            unit = "USD: burst: 5 USD" if not rule.burst.money else "no USD: burst: 50k"
            yield Fault(("burst",), f'"burst" is counted as the limit is. Write it with {unit}.')
            return
        burst = rule.burst.amount if rule.burst else 0
        most = MAX_WINDOW_US * written.amount // written.window_us
        if burst > most:
            yield Fault(
                ("burst",),
                f'"burst" takes more than a year to refill. Write at most {most:,}'
                + (" millionths of a USD." if written.unit is Unit.MICRO_USD else "."),
            )


def _unit_faults(rule: QuotaRule) -> Iterator[Fault]:
    units = {written.unit for written in rule.limit}
    if rule.weights:
        if Unit.TOKENS not in units:
            yield Fault(
                ("weights",),
                '"weights" is for a limit of tokens, and this rule has none. Delete it.',
            )
        of = limit(rule, Rate(1, Unit.TOKENS, 1)).weights
        if of is not None and not of.most(1, 1):
            yield Fault(
                ("weights",), "With these weights nothing counts. Write more than 0 for one."
            )
    if rule.wrote("unpriced") and Unit.MICRO_USD not in units:
        yield Fault(
            ("unpriced",), '"unpriced" is for a limit in USD, and this rule has none. Delete it.'
        )


def _scale_faults(rule: QuotaRule) -> Iterator[Fault]:
    scales: list[tuple[Path, Fraction]] = [((), Fraction(1))]
    scales += [(("scale", plan), factor) for plan, factor in rule.scale.items()]
    for place, factor in scales:
        for at, written in enumerate(rule.limit):
            scaled = limit(rule, written, factor)
            where = place or ("limit", at)
            if max(scaled.amount, scaled.burst) > MAX_AMOUNT:
                yield Fault(
                    where, f"This makes more than {MAX_AMOUNT:,}, the most that is counted."
                )
            elif (
                rule.window == "bucket"
                and written.unit is Unit.REQUESTS
                and scaled.amount > scaled.window_us
            ):
                yield Fault(
                    where, "A bucket of requests refills at most once in a microsecond. Write less."
                )


def condition_faults(rule: QuotaRule) -> Iterator[Fault]:
    """Of `when` alone, so that they are told whatever else is wrong with the rule."""
    if rule.when is None:
        return
    try:
        condition(rule.when)
    except ConditionFaults as wrong:
        for offset, message in wrong.faults:
            yield Fault(("when",), message, offset)


def _repeated(key: str, names: list[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            yield Fault((key, at), f'"{key}" says the same thing twice. Keep one of the two.')
        seen.add(name)

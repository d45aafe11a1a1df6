"""Rules as they were written become quotas as they are counted.

Here is checked what concerns several keys of one rule together.
"""

from collections.abc import Iterator
from fractions import Fraction

from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.quota import Limit, Quota, Unit, WindowKind
from gateway.policy.rate import MAX_WINDOW_US, Rate
from gateway.source.wording import shown
from gateway.source.yaml_text import Path

Fault = tuple[Path, str]
"""Where, from the rule on; what."""


def quota(rule: QuotaRule, file: PolicyFile, where: str) -> Quota:
    """`where` is the rule's `file:line`. The rule has no `faults`."""
    return Quota(
        id=rule.id,
        why=rule.why,
        limits=tuple(_limit(rule, written) for written in rule.limit),
        per=rule.per,
        missing=rule.missing,
        mode=rule.mode if rule.wrote("mode") else file.mode,
        where=where,
    )


def faults(rule: QuotaRule) -> Iterator[Fault]:
    """Keys that contradict each other, or of which one would do nothing."""
    over_time = [written for written in rule.limit if written.window_us]
    if not over_time:
        for key in ("window", "burst"):
            if rule.wrote(key):
                yield (
                    (key,),
                    f'"{key}" does nothing here: what is in flight has no window. Delete it.',
                )
    elif rule.wrote("burst") and rule.window != "bucket":
        yield (
            ("burst",),
            '"burst" does nothing in a sliding window. Write window: bucket, or delete "burst".',
        )
    elif rule.window == "bucket":
        yield from _bucket_faults(rule, over_time)
    if rule.wrote("lease") and len(over_time) == len(rule.limit):
        yield ("lease",), '"lease" is for a concurrent limit, and this rule has none. Delete it.'
    yield from _repeated("limit", [_limit(rule, written).meter for written in rule.limit])
    yield from _repeated("per", list(rule.per))


def doubts(rule: QuotaRule) -> Iterator[Fault]:
    """What is legal but surely not meant, in a rule without `faults`."""
    if not rule.why:
        yield (), f'{shown(rule.id)} has no "why". Add one sentence for whoever reads the trace.'
    if rule.wrote("burst"):
        pace = {at: _pace(written) for at, written in enumerate(rule.limit) if written.window_us}
        for at, units_per_us in pace.items():
            if units_per_us > min(pace.values()):
                yield (
                    ("limit", at),
                    "This limit never binds: of buckets with one burst, only the slowest does.",
                )


def _pace(written: Rate) -> Fraction:
    return Fraction(written.amount, written.window_us)


def _bucket_faults(rule: QuotaRule, over_time: list[Rate]) -> Iterator[Fault]:
    if rule.wrote("burst") and len({written.unit for written in over_time}) > 1:
        yield (
            ("burst",),
            '"burst" is one amount, but the limits count different units. Make two rules.',
        )
    for at, written in enumerate(rule.limit):
        if not written.window_us:
            continue
        if written.unit is Unit.REQUESTS and written.amount > written.window_us:
            yield (
                ("limit", at),
                "A bucket of requests refills at most once in a microsecond. Write less.",
            )
        elif rule.burst > (most := MAX_WINDOW_US * written.amount // written.window_us):
            yield (
                ("burst",),
                f'"burst" takes more than a year to refill. Write at most {most:,}.',
            )


def _repeated(key: str, names: list[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            yield (key, at), f'"{key}" says the same thing twice. Keep one of the two.'
        seen.add(name)


def _limit(rule: QuotaRule, written: Rate) -> Limit:
    if written.unit is Unit.CONCURRENT:
        kind = WindowKind.IN_FLIGHT
    else:
        kind = WindowKind.BUCKET if rule.window == "bucket" else WindowKind.SLIDING
    return Limit(
        quota_id=rule.id,
        unit=written.unit,
        kind=kind,
        amount=written.amount,
        window_us=written.window_us,
        burst=rule.burst or written.amount,
        lease_us=rule.lease,
    )

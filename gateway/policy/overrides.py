"""What is wrong, or surely not meant, with quotas that override others."""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import NamedTuple

from gateway.facts.catalog import CATALOG
from gateway.policy.document import QuotaRule
from gateway.policy.faults import Fault
from gateway.policy.quota import Missing, Mode, Quota, Unit
from gateway.source.wording import allowed_words, shown

MOST_CYCLES = 20
"""That are told. Whoever has more has one mistake many times."""


class Of(NamedTuple):
    """A fault, and whose."""

    quota_id: str
    fault: Fault


def override_faults(rules: Mapping[str, QuotaRule], written: Iterable[str]) -> Iterator[Of]:
    """`rules` by id, those without faults of their own; `written` are the ids of all rules."""
    named = set(written) | rules.keys()
    sound: dict[str, list[str]] = {}
    for rule_id, rule in rules.items():
        for at, other in enumerate(rule.overrides):
            fault = _fault(rule_id, other, rules, named)
            if fault is not None:
                yield Of(rule_id, Fault(("overrides", at), fault))
            elif other in rules:
                sound.setdefault(rule_id, []).append(other)
    for cycle in _cycles(sound):
        at = rules[cycle[0]].overrides.index(cycle[1])
        ring = ", ".join(f"{shown(a)} overrides {shown(b)}" for a, b in pairwise(cycle))
        message = f"These override each other in a ring: {ring}. Take one of them out."
        yield Of(cycle[0], Fault(("overrides", at), message))


def _fault(rule_id: str, other: str, rules: Mapping[str, QuotaRule], named: set[str]) -> str | None:
    if other == rule_id:
        return "A quota cannot override itself. Name another one, or delete this."
    if other not in named:
        words = allowed_words(other, sorted(named - {rule_id}))
        return f"{shown(f'overrides: {other}')} is no quota of these policies. {words}"
    if other in rules and rules[other].always:
        return (
            f'{shown(other)} says "always: true": nothing may override it. Take it out here, or '
            "that out there."
        )
    return None


def _cycles(overrides: dict[str, list[str]]) -> Iterator[list[str]]:
    """Each beginning with the rule that is written first, which stands at the end again."""
    order = {rule_id: at for at, rule_id in enumerate(overrides)}
    for _ in range(MOST_CYCLES):
        try:
            TopologicalSorter(overrides).prepare()
        except CycleError as error:
            ring = error.args[1][:0:-1]  # it tells who comes before whom
        else:
            return
        first = ring.index(min(ring, key=order.__getitem__))
        found = [*ring[first:], *ring[: first + 1]]
        yield found
        overrides[found[0]].remove(found[1])


def override_doubts(quotas: Iterable[Quota]) -> Iterator[Of]:
    """Of quotas without faults."""
    by_id = {quota.id: quota for quota in quotas}
    overridden = {other for quota in by_id.values() for other in quota.overrides}
    for quota in by_id.values():
        for at, other in enumerate(quota.overrides):
            doubt = _doubt(quota, by_id[other], may_yield=quota.id in overridden)
            if doubt is not None:
                yield Of(quota.id, Fault(("overrides", at), doubt))


def _doubt(quota: Quota, other: Quota, *, may_yield: bool) -> str | None:
    if quota.mode is Mode.SHADOW and other.mode is Mode.ENFORCE:
        return (
            f"{shown(quota.id)} is in shadow mode and overrides nothing that enforces: until that "
            f"is lifted {shown(other.id)} holds as before."
        )
    wherever = quota.when is None or quota.when == other.when
    if wherever and not may_yield and _counts_everything(quota):
        return (
            f"{shown(other.id)} never holds: wherever it applies this quota does, too, and "
            'overrides it. Delete it, or write when this one applies: "when".'
        )
    return None


def _counts_everything(quota: Quota) -> bool:
    """It can be counted for every request, and so always overrides."""
    told = all(CATALOG[name].missing is None for name in quota.per)
    counted = any(limit.unit in (Unit.REQUESTS, Unit.CONCURRENT) for limit in quota.limits)
    return counted and (told or quota.missing is not Missing.SKIP)

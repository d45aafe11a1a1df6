"""What happened in a scenario, told as a story: what was sent, what came when, by which rule."""

from collections.abc import Iterator

from gateway.policy.quota import Policies
from gateway.policy.scenario import Scenario, TrafficEntry
from gateway.policy.scenario_values import Attribute, OnePer
from gateway.scenarios.counted import ANY, Counted, Group, Near, Refused
from gateway.scenarios.run import Ran
from gateway.scenarios.wording import counted, offset, span

_NEAREST_SHOWN = 3


def story(ran: Ran) -> Iterator[str]:
    """Lines, without any for the expectations."""
    scenario = ran.located.scenario
    told = ran.told
    for at, entry in enumerate(scenario.traffic):
        yield f"sent      {_sent(scenario.name_of(at), entry)}"
    for at in range(len(scenario.traffic)):
        for when_us, what in _happened(scenario.name_of(at), told.entries[at], ran.policies):
            yield f"{offset(when_us - scenario.begins_us):<9} {what}"
    if told.whole.refused or told.whole.would_refuse:
        yield from _by_time(told, ran.span_us)
    yield from _nearest(scenario, told)


def _sent(name: str, entry: TrafficEntry) -> str:
    ceiling = f", max_tokens {entry.max_tokens:,}" if entry.max_tokens is not None else ""
    attributes = ", ".join(f"{key} {_shown(value)}" for key, value in entry.attributes.items())
    return (
        f"{name}: {counted(entry.accounts, 'account')}, each "
        f"{counted(entry.requests_each, 'request')} over {span(entry.lasts_us)} "
        f"({entry.arrivals}), {entry.model}{ceiling}" + (f"; {attributes}" if attributes else "")
    )


def _shown(value: Attribute) -> str:
    if isinstance(value, OnePer):
        return f"one per {value.accounts} accounts"
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _happened(name: str, group: Group, policies: Policies) -> Iterator[tuple[int, str]]:
    first = group.first.get(ANY)
    if first is not None:
        yield first.at_us, f"{_request(first)} is the first of {name} to be refused,"
        yield first.at_us, f"  {_rules(first, policies)}"
    for quota, number in group.would_refuse.items():
        if quota != ANY:
            would = group.first[quota]
            yield would.at_us, f"{_request(would)} would have been refused first, in shadow mode,"
            yield would.at_us, f"  {_rules(would, policies)}; {number:,} in all"
    last = group.last
    if first is not None and last is not None and last != first:
        yield last.at_us, f"{_request(last)} is the last of {name} to be refused"
    by = ", ".join(f"{quota} {number:,}" for quota, number in group.refused.items() if quota)
    refused = group.refused.get(ANY, 0)
    ends_us = last.at_us if last is not None else group.began_us
    if refused:
        yield (
            ends_us,
            f"in all {group.allowed:,} allowed, {refused:,} refused" + (f" ({by})" if by else ""),
        )
    else:
        yield (
            group.began_us,
            f"{name} begins; {group.allowed:,} of {counted(group.sent, 'request')} allowed",
        )


def _request(event: Refused) -> str:
    return f"request {event.number:,} of {event.account}"


def _rules(event: Refused, policies: Policies) -> str:
    places = {quota.id: quota.where for quota in policies.quotas}
    rules = " and ".join(f"{quota} ({places[quota]})" for quota in event.by)
    return (f"by {rules}: " if rules else "") + event.explained


def _by_time(told: Counted, span_us: int) -> Iterator[str]:
    yield f"every {span(span_us)}"
    for at, piece in sorted(told.spans.items()):
        would = f", {piece.would_refuse:,} would be refused" if piece.would_refuse else ""
        counts = f"{piece.allowed:,} allowed, {piece.refused:,} refused"
        yield f"  from {offset(at * span_us)}: {counts}{would}"


def _nearest(scenario: Scenario, told: Counted) -> Iterator[str]:
    """Of limits that refused nothing, those that came nearest to it."""
    for at, near in enumerate(told.nearest):
        spoke = told.entries[at].refused.keys() | told.entries[at].would_refuse.keys()
        quiet = [one for one in near.values() if one.limit.quota_id not in spoke]
        for one in sorted(quiet, key=_share, reverse=True)[:_NEAREST_SHOWN]:
            when = offset(one.at_us - scenario.begins_us)
            yield f"nearest   {one.limit.quota_id}: {one}, {one.account} at {when}"


def _share(near: Near) -> float:
    return near.share

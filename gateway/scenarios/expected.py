"""Whether what came of the traffic is what was expected, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from gateway.policy.scenario import Bounds, Distances, Expectation, Scenario
from gateway.policy.scenario_values import Reach
from gateway.scenarios.counted import ANY, Counted, Group
from gateway.scenarios.wording import counted, offset

Named = tuple[str, Group]
"""Whose group it is, and the group."""

_SHOWN_ACCOUNTS = 3


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that does not hold."""

    at: int
    """Which of the scenario's."""
    but: str
    """What came instead."""


def unmet(scenario: Scenario, told: Counted) -> Iterator[Unmet]:
    for at, expectation in enumerate(scenario.expect):
        wrong = [
            f"{name}: {but}" if name else but
            for name, group in _groups(scenario, expectation, told)
            if (but := _unlike(expectation, group)) is not None
        ]
        if wrong:
            more = len(wrong) - _SHOWN_ACCOUNTS
            rest = [f"and {counted(more, 'account')} more"] if more > 0 else []
            yield Unmet(at, "; ".join([*wrong[:_SHOWN_ACCOUNTS], *rest]))


def _groups(scenario: Scenario, expectation: Expectation, told: Counted) -> list[Named]:
    chosen = [
        at for at in range(len(scenario.traffic)) if expectation.of in (None, scenario.name_of(at))
    ]
    if expectation.each == "account":
        return [named for at in chosen for named in told.accounts[at].items()]
    return [("", told.whole if expectation.of is None else told.entries[chosen[0]])]


def _unlike(expectation: Expectation, group: Group) -> str | None:
    """What is there instead; None if it is as expected."""
    by = expectation.by or ANY
    whom = f" by {expectation.by}" if expectation.by else ""
    match expectation.kind:
        case "never_refused":
            refused = group.refused.get(by, 0)
            if not refused:
                return None
            were = "was" if refused == 1 else "were"
            return f"{refused:,} of {counted(group.sent, 'request')} {were} refused{_shares(group)}"
        case "first_refusal" if expectation.first_refusal is not None:
            return _unlike_distance(expectation.first_refusal, group, by, whom)
        case kind:
            bounds: Bounds = getattr(expectation, kind)
            number = {
                "allowed": group.allowed,
                "refused": group.refused.get(by, 0),
                "would_refuse": group.would_refuse.get(by, 0),
            }[kind]
            if _within(bounds, number, group.sent):
                return None
            word = "would have been refused" if kind == "would_refuse" else kind
            were = "was" if number == 1 else "were"
            were = "" if kind == "would_refuse" else f"{were} "
            return f"{number:,} of {counted(group.sent, 'request')} {were}{word}{whom}"


def _shares(group: Group) -> str:
    by = [f"{quota} {number:,}" for quota, number in group.refused.items() if quota != ANY]
    return f" ({', '.join(by)})" if by else ""


def _within(bounds: Bounds, number: int, sent: int) -> bool:
    exactly, least, most = bounds.exactly, bounds.at_least, bounds.at_most
    if exactly is not None and Fraction(number) != exactly.of(sent):
        return False
    if least is not None and number < least.of(sent):
        return False
    return most is None or number <= most.of(sent)


def _unlike_distance(distances: Distances, group: Group, by: str, whom: str) -> str | None:
    first = group.first.get(by)
    if first is None:
        return f"none of {counted(group.sent, 'request')} was refused{whom}"
    span_us = first.at_us - group.began_us
    for reach, sign in ((distances.after, 0), (distances.at_least, 1), (distances.at_most, -1)):
        if reach is None:
            continue
        beyond = _beyond(reach, first.allowed_before, span_us)
        if (beyond != 0 and sign == 0) or beyond * sign < 0:
            return (
                f"the first refusal{whom} came after {counted(first.allowed_before, 'request')}, "
                f"{offset(span_us)} after the first one"
            )
    return None


def _beyond(reach: Reach, requests: int, span_us: int) -> int:
    """Less than 0 if it came earlier than that, more if later."""
    if reach.requests is not None:
        return requests - reach.requests
    return span_us - reach.span_us

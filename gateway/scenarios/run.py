"""Runs one scenario: its traffic through the engine, over the memory store, in simulated time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.policy.quota import Mode, Policies
from gateway.policy.scenario import Expectation, Located, Scenario
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.scenarios.arrivals import arrivals
from gateway.scenarios.counted import Counted
from gateway.scenarios.expected import Unmet, unmet
from gateway.source.problems import Problem
from gateway.source.wording import allowed_words, shown
from gateway.store.memory import MemoryStore

_MINUTE_US = 60_000_000
_SPANS_US = tuple(
    minutes * _MINUTE_US for minutes in (1, 5, 15, 60, 360, 1_440, 10_080, 43_200, 86_400)
)
_MOST_SPANS = 8
"""As many lines as one looks at."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A scenario that has been run."""

    located: Located
    policies: Policies
    told: Counted
    unmet: tuple[Unmet, ...]
    span_us: int
    """Into pieces of which its time was cut."""
    seconds: float
    """Of real time."""

    @property
    def passed(self) -> bool:
        return not self.unmet

    @property
    def simulated_us(self) -> int:
        return length_us(self.located.scenario)


def quota_faults(located: Located, policies: Policies) -> Iterator[Problem]:
    """Of expectations about quotas: there is no such quota, or its mode makes them vain."""
    modes = {quota.id: quota.mode for quota in policies.quotas}
    modes |= {rule.id: rule.mode for rule in policies.behaviours.rules}
    scenario = located.scenario
    for at, expectation in enumerate(scenario.expect):
        if expectation.by is None:
            continue
        path = ("expect", at, "by")
        if expectation.by not in modes:
            words = allowed_words(expectation.by, modes)
            message = f"{shown(f'by: {expectation.by}')} is no rule of these policies. {words}"
            yield located.problem(path, message)
            continue
        shadow = modes[expectation.by] is Mode.SHADOW and scenario.mode != "enforce"
        vain = _vain(expectation, shadow=shadow)
        if vain is not None:
            yield located.problem(path, vain)


def _vain(expectation: Expectation, *, shadow: bool) -> str | None:
    quota = shown(str(expectation.by))
    if shadow and expectation.kind != "would_refuse":
        return (
            f'{quota} is in shadow mode and refuses nothing. Write "would_refuse", or give the '
            "scenario mode: enforce."
        )
    if not shadow and expectation.kind == "would_refuse":
        return f'{quota} is not in shadow mode here: it does refuse. Write "refused".'
    return None


async def run_scenario(located: Located, policies: Policies) -> Ran:
    scenario = located.scenario
    in_force = _enforcing(policies) if scenario.mode == "enforce" else policies
    clock = SimulatedClock(scenario.begins_us)
    side = Side(in_force, MemoryStore(clock), clock)
    names = tuple(scenario.name_of(at) for at in range(len(scenario.traffic)))
    span_us = next(
        (one for one in _SPANS_US if one * _MOST_SPANS >= length_us(scenario)), _SPANS_US[-1]
    )
    told = Counted(names, scenario.begins_us, span_us)
    begun = time.perf_counter()
    for arrival in arrivals(scenario):
        taken = side.intake.take(arrival.record, arrival.at_us)
        told.note(arrival, await side.arrive(arrival.record, arrival.at_us, taken))
    await side.finish()
    seconds = time.perf_counter() - begun
    return Ran(located, in_force, told, tuple(unmet(scenario, told)), span_us, seconds)


def length_us(scenario: Scenario) -> int:
    return max((entry.after_us or 0) + entry.lasts_us for entry in scenario.traffic)


def _enforcing(policies: Policies) -> Policies:
    return replace(
        policies, quotas=tuple(replace(quota, mode=Mode.ENFORCE) for quota in policies.quotas)
    )

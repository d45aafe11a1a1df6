"""What a policy directory costs: bytes, operations of the store, and time of this machine."""

import statistics
import time
from dataclasses import dataclass

import msgspec

from gateway.facts.catalog import CATALOG
from gateway.policy.quota import Limit, Policies, Quota
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.replay.record import Attribute, Record, RecordedAnswer, RecordedUsage
from gateway.store.footprint import memory_bytes, redis_bytes
from gateway.store.memory import MemoryStore

MEASURED_REQUESTS = 2_000
_ACCOUNTS = 20
_ROUNDS = 10
_BEGINS_S = 1_780_272_000
_STEP_US = 50_000

_ATTRIBUTES: dict[str, Attribute] = {
    "plan": "free",
    "created_at": _BEGINS_S - 86_400,
    "address": "192.0.2.1",
    "network": "AS64500",
    "origin": "self-service",
}
_BODY = msgspec.Raw(
    b'{"model":"frontier-1","max_tokens":500,"messages":[{"role":"user","content":"Good day."}]}'
)
_ANSWER = RecordedAnswer(usage=RecordedUsage(input_tokens=12, output_tokens=200), duration=0.1)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store keeps for each combination of some facts."""

    per: tuple[str, ...]
    """As `per:` calls them."""
    quotas: tuple[str, ...]
    redis_bytes: int
    """At most, as all below."""
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    kept: tuple[Kept, ...]
    partitions: int
    """That one request touches at most: keys of a script."""
    conditions: int
    conditions_each_time: int
    """Of these, evaluated for every request and not remembered."""
    holds_slots: bool
    """So an answer's slot is renewed while it lasts: an operation every few seconds."""
    microseconds: float
    """Of one request on this machine, in this process: decision and settlement, over memory."""


async def cost(policies: Policies) -> Cost:
    by_facts: dict[tuple[str, ...], list[Quota]] = {}
    for quota in policies.quotas:
        by_facts.setdefault(tuple(sorted(quota.per)), []).append(quota)
    conditions = {quota.when.text: quota.when for quota in policies.quotas if quota.when}
    return Cost(
        kept=tuple(_kept(per, quotas) for per, quotas in by_facts.items()),
        partitions=len(by_facts),
        conditions=len(conditions),
        conditions_each_time=sum(1 for one in conditions.values() if not one.slow),
        holds_slots=any(not limit.window_us for limit in policies.limits),
        microseconds=await _microseconds(policies),
    )


def _kept(per: tuple[str, ...], quotas: list[Quota]) -> Kept:
    limits = [limit for quota in quotas for limit in _largest(quota)]
    return Kept(
        per=tuple(CATALOG[name].short or name for name in per),
        quotas=tuple(quota.id for quota in quotas),
        redis_bytes=redis_bytes(limits),
        memory_bytes=memory_bytes(limits),
    )


def _largest(quota: Quota) -> tuple[Limit, ...]:
    """Of the plan that has the most."""
    return max([quota.limits, *quota.by_plan.values()], key=lambda limits: limits[0].amount)


async def _microseconds(policies: Policies) -> float:
    """The median of some rounds: a pause of the machine is none of the policies' cost."""
    clock = SimulatedClock()
    side = Side(policies, MemoryStore(clock), clock)
    at_us = _BEGINS_S * 1_000_000
    each = []
    for _ in range(_ROUNDS):
        records = [_record(number) for number in range(MEASURED_REQUESTS // _ROUNDS)]
        begun = time.perf_counter()
        for record in records:
            at_us += _STEP_US
            await side.arrive(record, at_us, side.intake.take(record, at_us))
        each.append((time.perf_counter() - begun) / len(records))
    return statistics.median(each) * 1_000_000


def _record(number: int) -> Record:
    account = number % _ACCOUNTS
    own = {"organization": f"org-{account // 4}", "payment": f"pm-{account}"}
    return Record(
        at=_BEGINS_S,
        account=f"account-{account}",
        path="/v1/chat/completions",
        attributes={**_ATTRIBUTES, **own},
        body=_BODY,
        response=_ANSWER,
    )

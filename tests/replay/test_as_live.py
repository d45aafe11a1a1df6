"""Replay decides what live decides: one scripted traffic, driven both ways with the same clock.

The live way here is written down once more, plainly: the proxy's own reading of each body, then
admission, and ends and renewals from a sorted list instead of replay's timeline.
"""

import json
import random
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from gateway.admission import Admission, Permit, Rules
from gateway.decision.outcome import Decision
from gateway.decision.renewing import renew_every_us
from gateway.decision.settlement import Delivered
from gateway.facts.catalog import Facts
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.estimate import OutputEstimator
from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.quota import Mode, Policies, Unit, WindowKind
from gateway.proxy.intake import take_in
from gateway.proxy.request_headers import read_headers
from gateway.replay.principals import Principals
from gateway.store.memory import MemoryStore
from tests.parts.clock import Clock
from tests.parts.values import MINUTE_US, limit, policies, quota
from tests.replay.passing import passed
from tests.replay.traffic_files import record

RULES = policies(
    quota(limit(20, quota_id="requests")),
    quota(limit(12_000, Unit.TOKENS, window_us=3 * MINUTE_US, quota_id="tokens")),
    quota(limit(4, Unit.CONCURRENT, quota_id="slots", lease_us=6_000_000)),
    quota(
        limit(3_000, Unit.OUTPUT_TOKENS, kind=WindowKind.BUCKET, burst=4_000, quota_id="output"),
        per=("account.id", "request.model"),
    ),
    quota(limit(30, kind=WindowKind.BUCKET, burst=5, quota_id="paced"), mode=Mode.SHADOW),
    quota(limit(60, quota_id="organization"), per=("account.organization",)),
)


def scripted(seed: int, exchanges: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    records, at_s = [], 0.0
    for _ in range(exchanges):
        at_s += rng.choice((0, 0.25, 0.5, rng.expovariate(1)))
        body: dict[str, Any] = {
            "model": rng.choice(("small", "large")),
            "messages": [{"role": "user", "content": "word " * rng.randrange(1, 400)}],
            "stream": rng.random() < 0.5,
        }
        if rng.random() < 0.7:
            body["max_tokens"] = rng.randrange(1, 600)
        answer: dict[str, Any] = {
            "status": 200,
            "duration": rng.choice((0, 0.5, rng.random() * 40)),
        }
        if rng.random() < 0.1:
            answer["status"] = 500
        elif rng.random() < 0.9:
            answer["usage"] = {
                "input_tokens": rng.randrange(400),
                "output_tokens": rng.randrange(600),
            }
        account = f"acct_{rng.randrange(4)}"
        organization = f"org_{rng.randrange(2)}"
        records.append(
            record(
                at_s,
                account,
                attributes={"organization": organization},
                body=body,
                response=answer,
            )
        )
    return records


async def live(records: list[dict[str, Any]], rules: Policies) -> list[Decision]:
    clock, numbers = Clock(0), count()
    admission = Admission(
        MemoryStore(clock), Rules(rules), OutputEstimator(), lambda: f"live-{next(numbers)}"
    )
    planned: list[tuple[int, int, Permit, dict[str, Any] | None]] = []
    order = count()
    decisions = []

    async def proceed(until_us: float) -> None:
        while planned and min(planned, key=lambda one: one[:2])[0] <= until_us:
            planned.sort(key=lambda one: one[:2])
            clock.now_us, _, permit, answer = planned.pop(0)
            if answer is None:
                await admission.renew(permit)
            else:
                await admission.settle(permit, *ended(answer, permit))

    for one in records:
        at_us = round(one["at"] * 1_000_000)
        await proceed(at_us)
        clock.now_us = at_us
        permit = await admission.admit(live_facts(one, at_us))
        decisions.append(permit.decision)
        if permit.decision.allowed:
            end_us = at_us + round(one["response"]["duration"] * 1_000_000)
            planned.extend((t, next(order), permit, None) for t in renewals(permit, at_us, end_us))
            planned.append((end_us, next(order), permit, one["response"]))
    await proceed(float("inf"))
    return decisions


def live_facts(one: dict[str, Any], at_us: int) -> Facts:
    match = BUILT_IN.find(one["method"], one["path"], [])
    principal = Principals().of(one["account"], one["attributes"])
    raw = [(name.encode(), value.encode()) for name, value in one["headers"].items()]
    body = json.dumps(one["body"]).encode()
    return take_in(body, match, principal, read_headers(raw), at_us).facts


def renewals(permit: Permit, at_us: int, end_us: int) -> Iterator[int]:
    assert permit.reservation is not None
    every_us = renew_every_us(permit.reservation.charges)
    assert every_us is not None
    yield from range(at_us + every_us, end_us, every_us)


def ended(answer: dict[str, Any], permit: Permit) -> tuple[Usage, Delivered]:
    if "usage" in answer:
        usage = Usage(answer["usage"]["input_tokens"], answer["usage"]["output_tokens"])
        return usage, Delivered(began=True)
    if answer["status"] >= 400:
        return UNREPORTED, Delivered(began=True, failed=True)
    assert permit.decision.estimate is not None
    return UNREPORTED, Delivered(began=True, output_tokens=permit.decision.estimate.output_tokens)


@pytest.mark.parametrize("seed", range(6))
async def test_replay_decides_what_live_decides(seed: int) -> None:
    records = scripted(seed, 400)
    decided_live = await live(records, RULES)
    replayed = [judged.decision for judged in await passed(records, RULES)]
    assert replayed == decided_live
    refused = [decision for decision in decided_live if not decision.allowed]
    assert 50 < len(refused) < 350
    assert len({reason.policy_id for one in refused for reason in one.reasons}) >= 3

"""A recorded run, backtested under the same policies, makes the live decisions once more."""

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.decision.hand import Ban, Grant
from gateway.policy.quota import Policies, Unit
from gateway.recording import Recording
from gateway.replay.as_recorded import ALONE
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.replay.judged import Judged
from gateway.replay.run import replay
from gateway.replay.traffic import Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.replay.verification import Verification
from gateway.store.memory import MemoryStore
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from tests.parts.redis_servers import RedisServer, running
from tests.recording.crowd import OTHERS, POLICIES, RunningClock, crowd

CALLERS, REQUESTS = 300, 4


async def replayed(*paths: Path) -> tuple[Verification, list[Judged]]:
    clock = SimulatedClock()
    judged: list[Judged] = []
    side = Side(Policies(), MemoryStore(clock), clock, [judged.append], recorded_policies=True)

    async def tell(exchanges: int, at_us: int) -> None:
        del exchanges, at_us

    await replay(Traffic([TrafficSource(str(path)) for path in paths]), [side], tell)
    return side.verification, judged


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("seed", range(3))
async def test_hundreds_of_callers_are_judged_as_they_were(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "traffic.jsonl"
    clock = RunningClock(random.Random(seed))
    store = MemoryStore(clock)
    async with crowd(store, path, kind="memory", clock=clock, seed=seed) as whole:
        rng = whole.rng

        async def operator() -> None:
            grant = Grant("requests", Unit.REQUESTS, 15, clock.now_us + 3_600_000_000)
            await until(whole.statuses, 200)
            await store.change_hand("acct-1", lambda hand: hand.with_grant(grant))
            await until(whole.statuses, 400)
            await whole.reload(OTHERS)
            ban = Ban(clock.now_us + 20_000_000)
            await store.change_hand("acct-2", lambda hand: hand.with_ban(ban))
            await until(whole.statuses, 600)
            await store.reset("acct-3", {"requests/sliding/requests/3600"})
            whole.recording.was_reset("acct-3", {"requests/sliding/requests/3600"})
            clock.now_us -= 30_000_000  # somebody sets the clock back
            await until(whole.statuses, 800)
            await whole.reload(POLICIES)

        callers = [whole.caller(1 + rng.randrange(2 * REQUESTS)) for _ in range(CALLERS)]
        async with asyncio.timeout(50):
            await asyncio.gather(operator(), *callers)
    verification, judged = await replayed(path)
    assert not verification.differences
    assert verification.exact
    assert verification.complete
    assert verification.compared > 1_000
    written = lines(path)
    assert sum("decision" in line for line in written) == len(
        [one for one in judged if one.decision is not None]
    )
    refused = {r[0] for line in written for r in line.get("decision", {}).get("reasons", ())}
    assert refused >= {"requests", "output", "slots", "user", "paced", "narrow", "operator"}
    events = [line.get("event") for line in written]
    assert {"begin", "policies", "extend", "end", "part", "reset"} <= set(events)
    assert events.count("policies") == 3
    assert any("rejected" in line for line in written)
    assert any(line.get("hand", {}).get("grants") for line in written)


def now_us() -> int:
    return time.time_ns() // 1000


async def until(statuses: list[int], count: int) -> None:
    while len(statuses) < count:  # noqa: ASYNC110  # turns of the loop are the time here
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running("valkey") as started:
        yield started


async def test_two_gaugers_on_one_server_are_judged_together_as_they_were(
    server: RedisServer, tmp_path: Path
) -> None:
    """Each wrote its own file; the server's clock puts their lines into one order."""
    prefix = server.fresh_prefix()
    stores = [
        OutageStore(RedisStore(server.url, prefix=prefix, timeout_seconds=10), clock=now_us)
        for _ in range(2)
    ]
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    async with AsyncExitStack() as open_parts:
        for store in stores:
            open_parts.push_async_callback(store.aclose)
            await store.start()
        both = [
            await open_parts.enter_async_context(
                crowd(store, path, kind="redis", clock=now_us, seed=seed)
            )
            for seed, (store, path) in enumerate(zip(stores, paths, strict=True))
        ]

        async def operator() -> None:
            grant = Grant("requests", Unit.REQUESTS, 15, await stores[0].clock_us() + 3_600_000_000)
            await until(both[0].statuses, 100)
            await stores[0].change_hand("acct-1", lambda hand: hand.with_grant(grant))
            await until(both[1].statuses, 150)
            for one in both:
                await one.reload(OTHERS)

        callers = [one.caller(1 + one.rng.randrange(6)) for one in both for _ in range(120)]
        async with asyncio.timeout(50):
            await asyncio.gather(operator(), *callers)
    verification, _ = await replayed(*paths)
    assert not verification.differences
    assert verification.compared > 500
    assert not verification.alone
    assert verification.begun_in_use == 2
    alone, _ = await replayed(paths[0])
    assert alone.different, "one of the two files does not tell what the other counted"


async def test_what_a_gauger_decided_alone_is_flagged_and_taken_over(
    server: RedisServer, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    shared = RedisStore(server.url, prefix=server.fresh_prefix(), timeout_seconds=0.05)
    heard: list[Recording] = []

    def failed(kind: str) -> None:
        for each in heard:
            each.store_failed(kind)

    store = OutageStore(
        shared,
        clock=now_us,
        replicas=1,
        return_seconds=0,
        on_fault=failed,
    )
    async with AsyncExitStack() as open_parts:
        open_parts.push_async_callback(store.aclose)
        await store.start()
        one = await open_parts.enter_async_context(crowd(store, path, kind="redis", clock=now_us))
        heard.append(one.recording)
        await asyncio.gather(*(one.caller(2) for _ in range(30)))
        with server.silent():
            await asyncio.gather(*(one.caller(2) for _ in range(30)))
        async with asyncio.timeout(20):
            while store.fault is not None:  # noqa: ASYNC110  # it is found by looking
                await asyncio.sleep(0.01)
        await asyncio.gather(*(one.caller(2) for _ in range(30)))
    verification, judged = await replayed(path)
    assert verification.outages >= 1
    assert verification.alone > 20
    assert verification.compared > 80
    assert not verification.complete
    live = {line["id"]: line["decision"] for line in lines(path) if "decision" in line}
    alone = [one for one in judged if live.get(one.record.id, {}).get("store") in ALONE]
    assert alone
    for one_judged in alone:
        verdict = "allow" if one_judged.allowed else "refuse"
        assert verdict == live[one_judged.record.id]["verdict"]

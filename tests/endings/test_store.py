"""Endings that the store has a part in, and those that gauger itself does not outlive."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from gateway.admission import Admission, Rules
from gateway.decision.finished import Ending
from gateway.decision.settlement import Delivered
from gateway.facts.estimate import OutputEstimator
from gateway.facts.usage import Usage
from gateway.policy.quota import SECOND_US, OnStoreFailure, Unit
from gateway.proxy import settling
from gateway.store.memory import MemoryStore
from gateway.store.outage.store import OutageStore
from gateway.store.redis import RedisStore
from gateway.wiring.clock import wall_clock_us
from tests.endings.speakers import OPENAI
from tests.endings.stage import PATIENCE_S, POLICIES, Scene, Theatre, words
from tests.endings.table import row
from tests.parts.gauger_inside import GaugerInside
from tests.parts.gauger_process import gauger
from tests.parts.redis_servers import running
from tests.parts.values import facts, limit, policies, quota
from tests.proxy.stage import Caller, answering, stage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("endings")]

RULES = policies(
    quota(
        limit(9, Unit.REQUESTS),
        limit(1_000, Unit.TOKENS),
        limit(2, Unit.CONCURRENT, lease_us=30 * SECOND_US),
    )
)


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_800_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now_us


async def _back(store: OutageStore) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while store.fault or store.owed:  # noqa: ASYNC110  it comes back by itself
            await asyncio.sleep(0.01)


@row("left-before-sent")
async def test_a_client_that_leaves_before_anything_was_sent() -> None:
    """It leaves while the store is asked, and the store goes on to reserve."""
    on = stage(answering())
    on.store.may_reserve.clear()
    caller = Caller(on.gateway)
    running = caller.start()
    await on.store.asked.wait()
    caller.leave()
    await asyncio.wait({running})
    on.store.may_reserve.set()
    charged = await on.settled()
    assert charged[Unit.REQUESTS] == 1
    assert charged[Unit.INPUT_TOKENS] == charged[Unit.OUTPUT_TOKENS] == 0
    assert charged[Unit.CONCURRENT] == 0
    assert not on.model.called.is_set()
    assert on.finished.ending is Ending.CLIENT_LEFT


@row("store-away")
async def test_a_store_that_stays_away_keeps_what_was_reserved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "WAITS_S", (0.0, 0.0))
    on = stage(answering())
    on.store.away_for_settlements = 3
    assert (await Caller(on.gateway).run()).completed
    await on.rest()
    assert on.store.settled == []
    assert on.told.unsettled == ["timeout"]
    assert on.finished.settlement is None


@row("store-away")
async def test_a_store_that_comes_back_is_told_how_it_ended() -> None:
    with running("valkey") as server:
        shared, numbers = RedisStore(server.url, timeout_seconds=0.2), count()
        store = OutageStore(shared, clock=wall_clock_us, heartbeat_seconds=0.1, return_seconds=0.1)
        await store.start()
        admission = Admission(store, Rules(RULES), OutputEstimator(), lambda: f"r{next(numbers)}")
        permit = await admission.admit(facts())
        with server.silent():
            await admission.settle(permit, Usage(10, 20), Delivered(began=True))
            assert store.owed == 1
        await _back(store)
        assert await shared.open_reservations() == 0
        readings = (await admission.admit(facts())).decision.readings
        assert [reading.used for reading in readings] == [2, 30 + 110, 1]
        await store.aclose()


@row("settlement-cancelled")
async def test_a_settlement_that_is_given_up_keeps_what_was_reserved() -> None:
    on = stage(answering())
    on.store.may_settle.clear()
    assert (await Caller(on.gateway).run()).completed
    assert not await on.gateway.drain(0)
    await on.rest()
    assert on.store.settled == []
    assert await on.store.open_reservations() == 1
    assert on.finished.settlement is None


@row("settled-twice")
async def test_the_second_settlement_changes_nothing() -> None:
    numbers = count()
    admission = Admission(
        MemoryStore(Clock()), Rules(RULES), OutputEstimator(), lambda: f"r{next(numbers)}"
    )
    permit = await admission.admit(facts())
    for usage in (Usage(10, 20), Usage(10, 20), Usage(0, 0), Usage(900, 900)):
        await admission.settle(permit, usage, Delivered(began=True))
    readings = (await admission.admit(facts())).decision.readings
    assert [reading.used for reading in readings] == [2, 30 + 110, 1]


@row("settled-late")
async def test_a_settlement_after_the_lease_counts_once_and_frees_nobody_elses_slot() -> None:
    numbers, clock = count(), Clock()
    admission = Admission(
        MemoryStore(clock), Rules(RULES), OutputEstimator(), lambda: f"r{next(numbers)}"
    )
    late = await admission.admit(facts())
    clock.now_us += 31 * SECOND_US
    assert (await admission.admit(facts())).decision.readings[2].used == 1
    for _ in range(2):
        await admission.settle(late, Usage(10, 20), Delivered(began=True))
    readings = (await admission.admit(facts())).decision.readings
    assert [reading.used for reading in readings] == [3, 30 + 110 + 110, 2]


@row("unanswered")
async def test_what_a_silent_store_reserved_after_all_is_taken_back() -> None:
    strict = tuple(
        replace(one, on_store_failure=OnStoreFailure.CLOSED) for one in RULES.quotas[0].limits
    )
    rules = Rules(policies(quota(*strict)))
    with running("valkey") as server:
        shared, numbers = RedisStore(server.url, timeout_seconds=0.2), count()
        store = OutageStore(shared, clock=wall_clock_us, heartbeat_seconds=0.1, return_seconds=0.1)
        await store.start()
        admission = Admission(store, rules, OutputEstimator(), lambda: f"r{next(numbers)}")
        await admission.settle(await admission.admit(facts()), Usage(1, 1), Delivered(began=True))
        with server.silent():
            assert not (await admission.admit(facts())).decision.allowed
            assert store.owed == 1
        await _back(store)
        assert await shared.open_reservations() == 0
        readings = (await admission.admit(facts())).decision.readings
        assert [reading.used for reading in readings] == [2, 2 + 110, 1]
        await store.aclose()


@row("killed")
async def test_a_killed_gauger_keeps_its_tokens_and_no_slot(theatre: Theatre) -> None:
    with running("valkey") as server:
        policies_ = POLICIES / "one-slot.yaml"
        async with gauger(policies_, theatre.url, store=server.url) as other:
            scene: Scene = await theatre.scene()
            async with gauger(policies_, theatre.url, store=server.url) as doomed:
                scene.inside = GaugerInside(doomed.url)
                scene.plays().let(1 + OPENAI.before_words + 3)
                async with scene.asking(OPENAI, ceiling=60) as answer:
                    await words(answer.aiter_bytes(), 3)
                    doomed.process.kill()
                    await doomed.process.wait()
            scene.inside = GaugerInside(other.url)
            scene.plays().open()
            refused = await scene.answer(OPENAI, stream=False, ceiling=9)
            assert refused.status == 429
            assert b"concurrency_limit_exceeded" in refused.content
            async with asyncio.timeout(PATIENCE_S):
                while (  # noqa: ASYNC110  the lease is the store's, and lapses by itself
                    await scene.answer(OPENAI, stream=False, ceiling=9)
                ).status == 429:
                    await asyncio.sleep(0.2)
            assert (await scene.entry()).delivered_tokens == 3
            refused = await scene.answer(OPENAI, stream=False, ceiling=60)
            assert refused.status == 429
            assert b"rate_limit_exceeded" in refused.content

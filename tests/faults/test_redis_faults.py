"""Everything that a Redis can do to its clients, at two replicas: nobody is admitted too much,
nobody is refused for it, and afterwards all is counted exactly.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from gateway.decision.port import Reservation, SettledCharge, StoreState
from gateway.policy.quota import OnStoreFailure, Unit
from tests.faults.replicas import HOUR_US, LIMIT, ONE, Pair, pair
from tests.parts.fault_proxy import FaultProxy, fault_proxy
from tests.parts.redis_servers import running
from tests.parts.values import charge, limit


class Stage:
    """A server that can be killed and come back at the same address, behind a proxy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.server = self._running.enter_context(running("valkey", folder))
        self.proxy: FaultProxy
        self.both: Pair

    def kill(self) -> None:
        assert self.server.pid is not None
        os.kill(self.server.pid, signal.SIGKILL)
        self._running.close()

    def restart(self) -> None:
        self.server = self._running.enter_context(running("valkey", self._folder))

    def close(self) -> None:
        self._running.close()

    def client(self) -> redis.Redis:
        return self.server.client()


Act = Callable[[Stage], Awaitable[None]]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    with TemporaryDirectory(prefix="gauger-") as folder:
        stage = Stage(Path(folder))
        try:
            async with (
                fault_proxy(stage.server.url) as stage.proxy,
                pair(stage.proxy.url) as stage.both,
            ):
                yield stage
        finally:
            stage.close()


async def goes_silent(stage: Stage) -> None:
    assert stage.server.pid is not None
    os.kill(stage.server.pid, signal.SIGSTOP)


async def speaks_again(stage: Stage) -> None:
    assert stage.server.pid is not None
    os.kill(stage.server.pid, signal.SIGCONT)


async def is_killed(stage: Stage) -> None:
    stage.kill()


async def restarts_empty(stage: Stage) -> None:
    stage.restart()


async def refuses(stage: Stage) -> None:
    stage.proxy.refusing = True
    stage.proxy.reset_all()


async def accepts(stage: Stage) -> None:
    stage.proxy.refusing = False


async def takes_no_writes(stage: Stage) -> None:
    with stage.client() as client:
        client.config_set("replica-read-only", "yes")
        client.replicaof("127.0.0.1", "1")


async def takes_writes(stage: Stage) -> None:
    with stage.client() as client:
        client.replicaof("NO", "ONE")


async def is_out_of_memory(stage: Stage) -> None:
    with stage.client() as client:
        client.config_set("maxmemory", "1")


async def has_memory(stage: Stage) -> None:
    with stage.client() as client:
        client.config_set("maxmemory", "0")


async def has_another_password(stage: Stage) -> None:
    with stage.client() as client:
        client.config_set("requirepass", "rotated")
    stage.proxy.reset_all()


async def has_the_old_password(stage: Stage) -> None:
    with redis.Redis.from_url(stage.server.url, password="rotated") as client:
        client.config_set("requirepass", "")


async def is_cut_off(stage: Stage) -> None:
    stage.proxy.cut_off()


async def is_joined_again(stage: Stage) -> None:
    stage.proxy.join_again()


async def is_slow(stage: Stage) -> None:
    stage.proxy.delay_s = 0.6


async def is_quick(stage: Stage) -> None:
    stage.proxy.delay_s = 0.0


FAULTS: dict[str, tuple[Act, Act]] = {
    "silent": (goes_silent, speaks_again),
    "refused": (refuses, accepts),
    "killed": (is_killed, restarts_empty),
    "read-only": (takes_no_writes, takes_writes),
    "out of memory": (is_out_of_memory, has_memory),
    "password rotated": (has_another_password, has_the_old_password),
    "half-open": (is_cut_off, is_joined_again),
    "slow": (is_slow, is_quick),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_over_an_outage_two_replicas_admit_the_limit_and_no_more(
    stage: Stage, fault: str
) -> None:
    both = stage.both
    begin, end = FAULTS[fault]
    assert await both.ask(40) == 40
    await begin(stage)
    assert await both.ask(20) > 0, "some of it within the replicas' shares"
    await both.away()
    assert both.states[StoreState.SHARE] > 0
    await end(stage)
    await both.ask(20)
    await both.back()
    await both.ask(2 * LIMIT)
    assert both.unavailable == 0
    assert both.admitted == LIMIT, "exactly, once all is told"


@pytest.mark.parametrize("fault", FAULTS)
async def test_whoever_asks_for_more_than_the_shares_gets_no_more_than_the_limit(
    stage: Stage, fault: str
) -> None:
    both = stage.both
    begin, end = FAULTS[fault]
    await both.ask(30)
    await begin(stage)
    await both.ask(3 * LIMIT)
    assert both.admitted <= LIMIT
    await end(stage)
    await both.ask(20)
    await both.back()
    await both.ask(LIMIT)
    assert both.unavailable == 0
    assert both.admitted == LIMIT


async def test_a_reset_in_mid_reply_is_no_admission_too_many(stage: Stage) -> None:
    both = stage.both
    for _ in range(5):
        await both.ask(5)
        stage.proxy.cut_after_bytes = 7
        await both.ask(3)
        await both.back()
    await both.ask(2 * LIMIT)
    assert both.admitted == LIMIT


async def test_scripts_that_are_flushed_are_not_noticed(stage: Stage) -> None:
    both = stage.both
    for _ in range(10):
        with stage.client() as client:
            client.script_flush()
        await both.ask(15)
    assert both.admitted == LIMIT
    assert both.states == {StoreState.OK: 150}


async def test_what_began_before_and_ends_during_an_outage_is_settled_after_it(
    stage: Stage,
) -> None:
    store = stage.both.stores[0]
    tokens = charge(limit(1000, Unit.TOKENS, window_us=HOUR_US), 900)
    slot = charge(limit(1, Unit.CONCURRENT, quota_id="slot"))
    reserved = await store.reserve("long", (tokens, slot))
    await goes_silent(stage)
    of = Reservation("long", reserved.at_us, (tokens, slot))
    await store.reserve("other", ONE)
    assert store.fault == "timeout"
    settled = (SettledCharge(tokens, 100), SettledCharge(slot, 0))
    assert await store.settle(of, settled)
    assert not await store.settle(of, settled), "once"
    await speaks_again(stage)
    await stage.both.back()
    again = await stage.both.stores[1].reserve("again", (tokens, slot))
    assert again.admitted
    assert [reading.used for reading in again.readings] == [1000, 1]


async def test_what_was_admitted_alone_and_goes_on_is_settled_like_any_other(
    stage: Stage,
) -> None:
    store = stage.both.stores[0]
    tokens = charge(limit(1000, Unit.TOKENS, window_us=HOUR_US), 400)
    await refuses(stage)
    await stage.both.away()
    reserved = await store.reserve("alone", (tokens,))
    assert (reserved.admitted, reserved.state) == (True, StoreState.SHARE)
    await accepts(stage)
    await stage.both.back()
    assert await store.open_reservations() == 1
    assert await store.settle(
        Reservation("alone", reserved.at_us, (tokens,)), (SettledCharge(tokens, 30),)
    )
    assert await store.open_reservations() == 0
    after = await store.reserve("after", (tokens,))
    assert after.readings[0].used == 430


async def test_a_store_that_came_back_empty_is_told_what_was_used(stage: Stage) -> None:
    both = stage.both
    held = charge(limit(5, Unit.CONCURRENT, quota_id="slots"))
    reserved = await both.stores[0].reserve("held", (held,))
    await both.ask(60)
    stage.kill()
    stage.restart()
    await both.away()
    await both.back()
    read = await both.stores[0].reserve("read", (*ONE, held))
    assert [reading.used for reading in read.readings] == [61, 2]
    of = Reservation("held", reserved.at_us, (held,))
    assert await both.stores[0].settle(of, (SettledCharge(held, 0),))


async def test_an_open_quota_admits_and_is_counted_afterwards(stage: Stage) -> None:
    both = stage.both
    free = (charge(limit(30, window_us=HOUR_US, on_store_failure=OnStoreFailure.OPEN)),)
    await refuses(stage)
    await both.away()
    assert await both.ask(50, free) == 50
    assert both.states == {StoreState.OPEN: 50}
    await accepts(stage)
    await both.back()
    reserved = await both.stores[0].reserve("after", free)
    assert (reserved.admitted, reserved.readings[0].used) == (False, 50)


async def test_a_closed_quota_is_unavailable_and_charges_nothing(stage: Stage) -> None:
    both = stage.both
    strict = (charge(limit(30, window_us=HOUR_US, on_store_failure=OnStoreFailure.CLOSED)),)
    await goes_silent(stage)
    assert await both.ask(10, (*strict, *ONE)) == 0
    assert both.unavailable == 10
    await speaks_again(stage)
    await both.back()
    reserved = await both.stores[0].reserve("after", strict)
    assert reserved.readings[0].used == 1, "what may have been reserved was taken back"


async def test_while_the_breaker_is_open_nobody_waits(stage: Stage) -> None:
    both = stage.both
    await goes_silent(stage)
    await both.ask(2)
    await both.away()
    loop = asyncio.get_running_loop()
    for store in both.stores:
        waiting = loop.create_task(store.reserve("quick", ONE))
        await asyncio.sleep(0)  # one turn of the loop, and no server
        assert waiting.done()
    await speaks_again(stage)


async def test_slots_are_shared_too(stage: Stage) -> None:
    both = stage.both
    slots = (charge(limit(6, Unit.CONCURRENT, quota_id="slots")),)
    assert await both.ask(2, slots, settle=False) == 2
    await refuses(stage)
    await both.away()
    assert await both.ask(20, slots, settle=False) == 4
    await accepts(stage)
    await both.back()
    assert await both.ask(20, slots, settle=False) == 0


async def test_a_cancelled_reservation_is_taken_back(stage: Stage) -> None:
    both = stage.both
    await goes_silent(stage)
    waiting = asyncio.create_task(both.stores[0].reserve("gone", ONE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await speaks_again(stage)
    await both.back()
    await both.until(lambda store: not store.owed)
    assert (await both.stores[0].reserve("next", ONE)).readings[0].used == 1

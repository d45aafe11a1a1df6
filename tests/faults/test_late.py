"""A reservation that reaches the server after its caller has given up charges nothing.

The caller has decided without the server by then, or has refused. Its command lies in a socket of a
server that stands still, or somewhere on the way, and comes after what was told in its place.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.decision.port import Reservation, SettledCharge
from gateway.errors import StoreUnavailable
from gateway.policy.quota import OnStoreFailure, Unit
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from gateway.store.redis import wire as wires
from tests.faults.replicas import HOUR_US, wall_clock_us
from tests.parts.fault_proxy import FaultProxy, fault_proxy
from tests.parts.redis_servers import RedisServer, running
from tests.parts.values import charge, limit

TOKENS = charge(limit(1000, Unit.TOKENS, quota_id="tokens", window_us=HOUR_US), 300)
SLOT = charge(limit(2, Unit.CONCURRENT, quota_id="slot"))
BOTH = (TOKENS, SLOT)
TIMEOUT_SECONDS = 0.1
PATIENCE_SECONDS = 15


@dataclass
class Road:
    """A server, and a proxy on the way to it."""

    server: RedisServer
    proxy: FaultProxy

    def scripts_run(self) -> int:
        with self.server.client() as client:
            stats = client.info("commandstats")
        return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in WHAT_RUNS)

    async def until_run(self, scripts: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.scripts_run() < scripts:  # noqa: ASYNC110  of a server
                await asyncio.sleep(0.01)

    async def used(self) -> tuple[list[int], int]:
        """Of both limits, and how many reservations are open; asked past the proxy."""
        store = RedisStore(self.server.url, timeout_seconds=PATIENCE_SECONDS)
        looked = await store.inspect("acct_1", BOTH)
        still_open = await store.open_reservations()
        await store.aclose()
        return [reading.used for reading in looked.readings], still_open


WHAT_RUNS = ("evalsha", "eval")


@pytest.fixture
async def road(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Road]:
    monkeypatch.setattr(wires, "SILENT_SECONDS", 0.2)
    with TemporaryDirectory(prefix="gauger-") as folder, running("valkey", Path(folder)) as server:
        async with fault_proxy(server.url) as proxy:
            yield Road(server, proxy)


@asynccontextmanager
async def ready_for_outages(url: str) -> AsyncIterator[OutageStore]:
    store = OutageStore(
        RedisStore(url, timeout_seconds=TIMEOUT_SECONDS),
        clock=wall_clock_us,
        heartbeat_seconds=0.1,
        return_seconds=0.1,
    )
    await store.start()
    try:
        yield store
    finally:
        await store.aclose()


async def back(store: OutageStore) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while store.fault or store.owed:  # noqa: ASYNC110  it comes back by itself
            await asyncio.sleep(0.01)


async def test_what_lay_in_the_sockets_of_a_server_that_stood_still_is_not_charged(
    road: Road,
) -> None:
    """By a store that nobody stands behind who would take it back."""
    store = RedisStore(road.server.url, timeout_seconds=TIMEOUT_SECONDS)
    await store.start()
    first = await store.reserve("first", BOTH)
    assert first.admitted
    before = road.scripts_run()
    with road.server.silent():
        asked = (store.reserve(f"r{i}", BOTH) for i in range(30))
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, StoreUnavailable) for one in found)
    await road.until_run(before + 30)
    assert await road.used() == ([300, 1], 1)
    assert (await store.reserve("next", BOTH)).admitted
    await store.aclose()


async def test_what_was_held_on_its_way_is_not_charged_after_it_was_taken_back(road: Road) -> None:
    closed = tuple(
        replace(one, limit=replace(one.limit, on_store_failure=OnStoreFailure.CLOSED))
        for one in BOTH
    )
    async with ready_for_outages(road.proxy.url) as store:
        road.proxy.hold()
        with pytest.raises(StoreUnavailable):
            await store.reserve("gone", closed)
        await back(store)
        before = road.scripts_run()
        road.proxy.let_go()
        await road.until_run(before + 1)
        assert await road.used() == ([0, 0], 0)


async def test_what_was_decided_alone_and_told_is_not_charged_once_more(road: Road) -> None:
    async with ready_for_outages(road.proxy.url) as store:
        road.proxy.hold()
        alone = await store.reserve("alone", BOTH)
        assert alone.admitted
        of = Reservation("alone", alone.at_us, BOTH)
        assert await store.settle(of, (SettledCharge(TOKENS, 40), SettledCharge(SLOT, 0)))
        await back(store)
        assert await road.used() == ([40, 0], 0)
        before = road.scripts_run()
        road.proxy.let_go()
        await road.until_run(before + 1)
        assert await road.used() == ([40, 0], 0)


async def test_what_a_client_left_behind_is_taken_back_after_it_could_last_be_charged(
    road: Road,
) -> None:
    """Its connection breaks, and the next is quicker than what lies in the first."""
    async with ready_for_outages(road.proxy.url) as store:
        road.proxy.hold()
        waiting = asyncio.create_task(store.reserve("left", BOTH))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert store.owed == 1
        road.proxy.let_go()  # still in time: it is charged, and taken back
        await back(store)
        assert await road.used() == ([0, 0], 0)


async def test_the_first_answers_teach_the_server_s_clock(road: Road) -> None:
    """A store that nobody started knows nothing of it, asks twice, and charges once."""
    store = RedisStore(road.server.url, timeout_seconds=PATIENCE_SECONDS)
    assert (await store.reserve("r", BOTH)).admitted
    assert road.scripts_run() == 3, "one of them unknown to the server"
    assert (await store.reserve("s", BOTH)).admitted
    assert road.scripts_run() == 4
    assert await road.used() == ([600, 2], 2)
    await store.aclose()


async def test_a_server_that_is_always_too_late_is_away(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(road.server.url, timeout_seconds=PATIENCE_SECONDS)
    monkeypatch.setattr(store, "patience_seconds", -1.0)
    with pytest.raises(StoreUnavailable) as caught:
        await store.reserve("r", BOTH)
    assert caught.value.kind == "timeout"
    assert await road.used() == ([0, 0], 0)
    await store.aclose()

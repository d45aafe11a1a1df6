"""The story of an outage, over a store that is away when the test says so."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.decision.hand import Ban, Hand, LastSeen
from gateway.decision.plan import Charge
from gateway.decision.port import Present, Reservation, Reserved, SettledCharge, StoreState
from gateway.errors import StoreUnavailable
from gateway.policy.quota import OnStoreFailure, Unit
from gateway.store.memory import MemoryStore
from gateway.store.outage import OutageStore
from tests.parts.clock import START_US, Clock
from tests.parts.memory_exchange import MemoryExchange
from tests.parts.values import MINUTE_US, charge, limit

ONE = (charge(limit(10)),)
HELD = (charge(limit(1, Unit.CONCURRENT, quota_id="slot")),)


class Shared(MemoryStore):
    """In this process, and away whenever it shall be."""

    def __init__(self) -> None:
        super().__init__(lambda: START_US)
        self.fault: str | None = None
        self.replicas = 1
        self.known = False
        self.mistake: Exception | None = None
        self.never = asyncio.Event()
        self.hangs = False
        self.last_seen = LastSeen()
        self.patience_seconds = 0.0

        self.warnings: list[str] = []
        self.replayed: list[str] = []

    def exchange(self) -> MemoryExchange:
        return MemoryExchange()

    async def _asked(self) -> None:
        if self.hangs:
            await self.never.wait()
        if self.fault is not None:
            raise StoreUnavailable("away", kind=self.fault)

    async def start(self) -> None:
        await self._asked()

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        await self._asked()
        return await super().reserve(reservation_id, charges, account)

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        await self._asked()
        return await super().settle(reservation, settled)

    async def renew(self, reservation: Reservation) -> int:
        await self._asked()
        return await super().renew(reservation)

    async def ping(self) -> None:
        await self._asked()

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        await self._asked()
        if self.mistake is not None:
            mistake, self.mistake = self.mistake, None
            raise mistake
        self.replayed.append(reservation_id)
        await super().reserve(reservation_id, charges)
        return START_US

    async def present(self, replica: str, lasting_us: int) -> Present:
        del replica, lasting_us
        await self._asked()
        known, self.known = self.known, True
        return Present(self.replicas, known=known, at_us=START_US)

    def whenever_lost(self, tell: Callable[[StoreUnavailable], object]) -> None:
        self.lose = tell

    async def leave(self, replica: str) -> None:
        del replica


@pytest.fixture
async def shared() -> Shared:
    return Shared()


@pytest.fixture
async def store(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OutageStore]:
    monkeypatch.setattr("gateway.store.outage.store.FIRST_PROBE_SECONDS", 0.001)
    monkeypatch.setattr("gateway.store.outage.store.LONGEST_PROBE_SECONDS", 0.002)
    store = OutageStore(shared, clock=Clock(), heartbeat_seconds=0.001, return_seconds=0)
    await store.start()
    yield store
    shared.fault, shared.hangs = None, False
    await store.aclose()


async def back(store: OutageStore) -> None:
    async with asyncio.timeout(10):
        while store.fault is not None or store.owed:  # noqa: ASYNC110  # as nobody else asks
            await asyncio.sleep(0.001)


async def test_while_it_answers_it_alone_decides(store: OutageStore, shared: Shared) -> None:
    for i in range(12):
        reserved = await store.reserve(f"r{i}", ONE)
        assert (reserved.admitted, reserved.state) == (i < 10, StoreState.OK)
    assert len(shared) == 1
    assert store.owed == 0


async def test_what_it_had_counted_still_counts_when_it_is_away(
    store: OutageStore, shared: Shared
) -> None:
    for i in range(7):
        await store.reserve(f"r{i}", ONE)
    shared.fault = "timeout"
    answers = [await store.reserve(f"s{i}", ONE) for i in range(5)]
    assert [a.admitted for a in answers] == [True] * 3 + [False] * 2
    assert {a.state for a in answers} == {StoreState.SHARE}
    assert [a.readings[0].used for a in answers] == [8, 9, 10, 10, 10]
    assert store.fault == "timeout"
    with pytest.raises(StoreUnavailable):
        await store.ping()


async def test_what_came_meanwhile_is_told_once(store: OutageStore, shared: Shared) -> None:
    shared.fault = "connection"
    answers = [await store.reserve(f"s{i}", ONE) for i in range(3)]
    for i, answer in enumerate(answers[:2]):
        of = Reservation(f"s{i}", answer.at_us, ONE)
        assert await store.settle(of, (SettledCharge(ONE[0], 1),))
        assert not await store.settle(of, (SettledCharge(ONE[0], 1),))
    shared.fault = None
    await back(store)
    assert sorted(shared.replayed) == ["s0", "s1", "s2"]
    assert (await store.reserve("after", ONE)).readings[0].used == 4
    assert await store.open_reservations() == 2


async def test_a_clock_that_is_set_in_an_outage_is_no_way_to_a_fresh_window(
    shared: Shared,
) -> None:
    clock = Clock()
    store = OutageStore(shared, clock=clock)
    await store.start()
    for i in range(10):
        await store.reserve(f"r{i}", ONE)
    shared.fault = "timeout"
    clock.now_us += 60 * MINUTE_US
    assert not (await store.reserve("s", ONE)).admitted
    shared.fault = None
    await store.aclose()


async def test_who_was_shut_out_stays_out(store: OutageStore, shared: Shared) -> None:
    hand = Hand(Ban(START_US + MINUTE_US))
    shared.last_seen.told("acct_1", b"stored", hand)
    shared.fault = "timeout"
    reserved = await store.reserve("r", ONE, "acct_1")
    assert (reserved.admitted, reserved.hand.ban) == (False, hand.ban)
    assert (await store.reserve("s", ONE, "acct_2")).admitted


async def test_a_slot_that_was_taken_before_is_free_when_its_holder_ends(
    store: OutageStore, shared: Shared
) -> None:
    reserved = await store.reserve("held", HELD)
    shared.fault = "timeout"
    assert not (await store.reserve("no", HELD)).admitted
    of = Reservation("held", reserved.at_us, HELD)
    await store.renew(of)
    await store.settle(of, (SettledCharge(HELD[0], 0),))
    assert (await store.reserve("yes", HELD)).admitted
    assert not (await store.reserve("no more", HELD)).admitted


async def test_a_connection_that_breaks_is_an_outage_before_anybody_asks(
    store: OutageStore, shared: Shared
) -> None:
    shared.fault = "connection"
    shared.lose(StoreUnavailable("lost", kind="connection"))
    assert store.fault == "connection"
    shared.fault = None
    await back(store)


async def test_a_store_that_has_lost_its_memory_is_told_what_was_used(
    store: OutageStore, shared: Shared
) -> None:
    for i in range(6):
        await store.reserve(f"r{i}", ONE)
    await store.reserve("held", HELD)
    shared._cells.clear()
    shared._inspected.clear()
    shared.known = False
    async with asyncio.timeout(10):
        while not shared.replayed:  # noqa: ASYNC110  # it is found by a heartbeat
            await asyncio.sleep(0.001)
    await back(store)
    assert store.faults["forgotten"] == 1
    assert (await store.reserve("after", ONE)).readings[0].used == 7
    assert not (await store.reserve("no", HELD)).admitted


async def test_until_the_others_know_both_must_admit(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.outage.store.FIRST_PROBE_SECONDS", 0.001)
    shared.replicas = 2
    store = OutageStore(shared, clock=Clock(), replicas=2, return_seconds=3600)
    await store.start()
    shared.fault = "timeout"
    answers = [await store.reserve(f"s{i}", ONE) for i in range(4)]
    shared.fault = None
    async with asyncio.timeout(10):
        while not shared.replayed or store.owed:  # noqa: ASYNC110  # as nobody else asks
            await asyncio.sleep(0.001)
    assert store.fault == "timeout"
    answers.append(await store.reserve("by both", ONE))
    assert [a.admitted for a in answers] == [True] * 5
    assert answers[-1].state is StoreState.OK
    assert not (await store.reserve("beyond the share", ONE)).admitted
    await MemoryStore.reserve(shared, "elsewhere", (charge(limit(10**6, Unit.TOKENS)),))
    shared.fault = "readonly"
    await store.settle(Reservation("by both", answers[-1].at_us, ONE), (SettledCharge(ONE[0], 0),))
    shared.fault = None
    await store.aclose()


async def test_a_cancelled_call_is_made_good_in_the_background(
    store: OutageStore, shared: Shared
) -> None:
    shared.hangs = True
    waiting = asyncio.create_task(store.reserve("gone", ONE))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert store.owed == 1
    shared.hangs = False
    shared.never.set()
    await back(store)


async def test_a_settlement_that_is_cancelled_is_settled_all_the_same(
    store: OutageStore, shared: Shared
) -> None:
    reserved = await store.reserve("r", ONE)
    shared.hangs = True
    of = Reservation("r", reserved.at_us, ONE)
    waiting = asyncio.create_task(store.settle(of, (SettledCharge(ONE[0], 1),)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    shared.hangs = False
    shared.never.set()
    await back(store)
    assert await store.open_reservations() == 0


async def test_a_mistake_of_ours_does_not_keep_the_store_away_for_ever(
    store: OutageStore, shared: Shared
) -> None:
    shared.fault = "timeout"
    await store.reserve("r", ONE)
    shared.mistake = ValueError("a bug")
    shared.fault = None
    await back(store)
    assert shared.replayed == ["r"]


async def test_a_closed_quota_says_which_it_is(store: OutageStore, shared: Shared) -> None:
    shared.fault = "oom"
    strict = (charge(limit(5, quota_id="strict", on_store_failure=OnStoreFailure.CLOSED)),)
    with pytest.raises(StoreUnavailable, match="quota strict is closed") as caught:
        await store.reserve("r", strict)
    assert caught.value.kind == "closed"
    trial = (charge(strict[0].limit, shadow=True), *ONE)
    reserved = await store.reserve("s", trial)
    assert reserved.admitted
    assert [reading.charged for reading in reserved.readings] == [False, True]


async def test_without_a_share_it_says_what_would_help(shared: Shared) -> None:
    shared.fault = "connection"
    store = OutageStore(shared, clock=Clock())
    with pytest.raises(StoreUnavailable):
        await store.start()
    with pytest.raises(StoreUnavailable, match="--replicas") as caught:
        await store.reserve("r", ONE)
    assert caught.value.kind == "no_share"
    free = (charge(limit(1, on_store_failure=OnStoreFailure.OPEN)),)
    assert (await store.reserve("s", free)).state is StoreState.OPEN
    await store.aclose()


async def test_faults_are_told_by_kind(shared: Shared) -> None:
    told: list[str] = []
    store = OutageStore(shared, clock=Clock(), on_fault=told.append)
    await store.start()
    shared.fault = "readonly"
    began = time.monotonic()
    for i in range(50):
        await store.reserve(f"r{i}", ONE)
    assert told == ["readonly"], "only the first asked the store"
    assert time.monotonic() - began < 10
    shared.fault = None
    await store.aclose()

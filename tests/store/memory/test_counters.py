"""What is particular to the store in memory: it is bounded. The rest is in `tests/contract`."""

from gateway.decision.port import RECORD_US, Reservation, SettledCharge
from gateway.policy.quota import Unit
from gateway.store.memory import MemoryStore
from tests.parts.clock import Clock
from tests.parts.values import MINUTE_US, charge, limit


async def test_partitions_that_have_lapsed_are_forgotten() -> None:
    clock = Clock()
    store = MemoryStore(clock)
    for i in range(1000):
        one = charge(limit(5), account=f"anna-{i}")
        reserved = await store.reserve(f"r{i}", (one,))
        await store.settle(Reservation(f"r{i}", reserved.at_us, (one,)), (SettledCharge(one, 1),))
    assert len(store) == 1000
    clock.now_us += 3 * MINUTE_US
    for i in range(1000):
        await store.reserve(f"s{i}", (charge(limit(10**6), account="bert"),))
    assert len(store) == 1


async def test_a_flood_of_accounts_keeps_no_more_than_are_alive() -> None:
    clock = Clock()
    store = MemoryStore(clock)
    alive = 0
    for i in range(20_000):
        clock.now_us += RECORD_US // 1000
        await store.reserve(f"r{i}", (charge(limit(5), account=f"anna-{i}"),))
        alive = max(alive, len(store))
    assert alive < 3000


async def test_a_refused_request_makes_no_partition() -> None:
    store = MemoryStore(Clock())
    for i in range(100):
        refused = charge(limit(5, Unit.TOKENS), 6, account=f"anna-{i}")
        assert not (await store.reserve(f"r{i}", (refused,))).admitted
    assert len(store) == 0


async def test_an_open_reservation_keeps_its_partition() -> None:
    clock = Clock()
    store = MemoryStore(clock)
    await store.reserve("open", (charge(limit(5, Unit.TOKENS), 5, account="anna"),))
    clock.now_us += RECORD_US - 1
    for i in range(10):
        await store.reserve(f"r{i}", (charge(limit(100), account="bert"),))
    assert len(store) == 2
    assert await store.open_reservations() == 11

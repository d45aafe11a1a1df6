"""How often a store is made to count."""

import asyncio

import pytest

from gateway.console import census as census_module
from gateway.console.census import Census
from gateway.errors import StoreUnavailable


class Store:
    """Counts for as long as it is told, by a clock of its own."""

    def __init__(self, took_s: float) -> None:
        self.took_s = took_s
        self.now_s = 0.0
        self.asked = 0
        self.fails = False
        self.hangs = False

    async def open_reservations(self) -> int:
        self.asked += 1
        self.now_s += self.took_s
        if self.fails:
            raise StoreUnavailable("away", kind="timeout")
        if self.hangs:
            await asyncio.Event().wait()
        return self.asked

    def clock(self) -> float:
        return self.now_s


async def test_a_store_that_counts_at_once_counts_each_time() -> None:
    store = Store(0.0)
    census = Census(store.open_reservations, store.clock)
    assert [await census.open_reservations() for _ in range(3)] == [1, 2, 3]


async def test_counting_takes_a_thousandth_of_the_time_at_most() -> None:
    store = Store(0.5)
    census = Census(store.open_reservations, store.clock)
    assert await census.open_reservations() == 1
    store.now_s += 499
    assert await census.open_reservations() == 1
    store.now_s += 1
    assert await census.open_reservations() == 2


async def test_what_a_store_that_is_away_would_say_is_not_known_and_asked_again() -> None:
    store = Store(0.5)
    census = Census(store.open_reservations, store.clock)
    await census.open_reservations()
    store.now_s += 1_000
    store.fails = True
    assert await census.open_reservations() is None
    store.fails = False
    assert await census.open_reservations() == 3


async def test_a_count_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census_module, "AT_MOST_S", 0.01)
    store = Store(1.0)
    store.hangs = True
    census = Census(store.open_reservations, store.clock)
    assert await census.open_reservations() is None
    assert await census.open_reservations() is None
    assert store.asked == 1


async def test_many_who_ask_at_once_make_it_count_once() -> None:
    store = Store(1.0)
    census = Census(store.open_reservations, store.clock)
    assert await asyncio.gather(*(census.open_reservations() for _ in range(5))) == [1] * 5

"""Two replicas on one server, and a client that asks both in turn as fast as it is admitted."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.decision.plan import Charge
from gateway.decision.port import Reservation, SettledCharge, StoreState
from gateway.errors import StoreUnavailable
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from tests.parts.values import charge, limit

LIMIT = 100
HOUR_US = 3_600_000_000
ONE = (charge(limit(LIMIT, window_us=HOUR_US)),)
TIMEOUT_SECONDS = 0.25
"""Longer than in earnest: a machine that is busy with other tests is no fault of the store's."""


def wall_clock_us() -> int:
    return time.time_ns() // 1000


@dataclass
class Pair:
    """Counts what it was admitted: the log of truth."""

    stores: list[OutageStore]
    admitted: int = 0
    unavailable: int = 0
    states: Counter[StoreState] = field(default_factory=Counter)
    longest_s: float = 0.0
    _asked: int = 0

    async def ask(
        self, times: int, charges: tuple[Charge, ...] = ONE, *, settle: bool = True
    ) -> int:
        """How many were admitted of so many."""
        before = self.admitted
        for _ in range(times):
            self._asked += 1
            store = self.stores[self._asked % len(self.stores)]
            name = f"r{self._asked}"
            began = time.perf_counter()
            try:
                reserved = await store.reserve(name, charges)
            except StoreUnavailable:
                self.unavailable += 1
                continue
            finally:
                self.longest_s = max(self.longest_s, time.perf_counter() - began)
            self.states[reserved.state] += 1
            if reserved.admitted:
                self.admitted += 1
                if settle:
                    of = Reservation(name, reserved.at_us, charges)
                    await store.settle(of, tuple(SettledCharge(c, c.amount) for c in charges))
        return self.admitted - before

    async def until(self, holds: Callable[[OutageStore], bool]) -> None:
        async with asyncio.timeout(20):
            while not all(holds(store) for store in self.stores):  # noqa: ASYNC110  # of a server
                await asyncio.sleep(0.01)

    async def away(self) -> None:
        await self.until(lambda store: store.fault is not None)

    async def back(self) -> None:
        await self.until(lambda store: store.fault is None and not store.owed)


@asynccontextmanager
async def pair(
    url: str, *, prefix: str = "gauger", timeout_seconds: float = TIMEOUT_SECONDS
) -> AsyncIterator[Pair]:
    """Both know of each other."""
    stores = [
        OutageStore(
            RedisStore(url, prefix=prefix, timeout_seconds=timeout_seconds),
            clock=wall_clock_us,
            heartbeat_seconds=0.1,
            return_seconds=1.2,
        )
        for _ in range(2)
    ]
    try:
        for store in stores:
            await store.start()
        both = Pair(stores)
        await both.until(lambda store: store.replicas == 2)
        yield both
    finally:
        for store in stores:
            await store.aclose()

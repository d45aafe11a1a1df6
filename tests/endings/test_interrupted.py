"""A cancellation at every wait of an admission in turn, over the store as it serves.

Of reserving, extending, renewing and settling; before the server has heard of it and after, while
it answers and while it stands still.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from gateway.admission import Admission, Permit, Rules
from gateway.decision.settlement import Delivered
from gateway.facts.estimate import OutputEstimator
from gateway.facts.usage import Usage
from gateway.policy.quota import SECOND_US, Unit
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from gateway.wiring.clock import wall_clock_us
from tests.parts.interrupted import interrupted
from tests.parts.redis_servers import RedisServer, running
from tests.parts.values import charge, facts, limit, policies, quota

HOUR_US = 3_600 * SECOND_US
REQUESTS = limit(9, Unit.REQUESTS, window_us=HOUR_US)
TOKENS = limit(10_000, Unit.OUTPUT_TOKENS, window_us=HOUR_US)
SLOTS = limit(2, Unit.CONCURRENT)
RULES = policies(quota(REQUESTS, TOKENS, SLOTS))
RESERVED, FURTHER, ACTUAL = 100, 256, 130
MOST_WAITS = 30
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running("valkey") as server:
        yield server


@dataclass
class Exchange:
    """One, and whoever is responsible for it: what was permitted is settled."""

    admission: Admission
    permit: Permit | None = None
    settling: bool = False
    steps: list[str] = field(default_factory=list)

    async def run(self) -> None:
        await self._step("admit")
        self.permit = await self.admission.admit(facts(max_output_tokens=RESERVED))
        await self._step("extend")
        self.permit = (await self.admission.extend(self.permit, FURTHER)).permit
        await self._step("renew")
        await self.admission.renew(self.permit)
        await self._step("settle")
        self.settling = True
        await self._settle(self.permit)

    async def over(self) -> None:
        """As the proxy does for one that was cut off."""
        if self.permit is not None and not self.settling:
            await self._settle(self.permit)

    async def _settle(self, permit: Permit) -> None:
        await self.admission.settle(permit, Usage(10, ACTUAL), Delivered(began=True))

    async def _step(self, name: str) -> None:
        self.steps.append(name)


@contextlib.asynccontextmanager
async def serving(server: RedisServer) -> AsyncIterator[tuple[OutageStore, Admission]]:
    shared = RedisStore(server.url, prefix=server.fresh_prefix(), timeout_seconds=0.05)
    store = OutageStore(shared, clock=wall_clock_us, heartbeat_seconds=30)
    await store.start()
    numbers = count()
    admission = Admission(store, Rules(RULES), OutputEstimator(), lambda: f"r{next(numbers)}")
    try:
        yield store, admission
    finally:
        await store.aclose()


async def back(store: OutageStore) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while store.fault or store.owed:  # noqa: ASYNC110  it comes back by itself
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("still", [False, True], ids=["answers", "stands still"])
@pytest.mark.parametrize("told", [False, True], ids=["before it is sent", "after it was sent"])
async def test_a_cancellation_at_any_wait_leaves_the_books_right(
    server: RedisServer, *, told: bool, still: bool
) -> None:
    cut_in = set()
    for at in range(1, MOST_WAITS):
        async with serving(server) as (store, admission):
            exchange = Exchange(admission)
            stopped = server.silent() if still else contextlib.nullcontext()
            with stopped:
                running = asyncio.create_task(_cut(exchange, at, told=told))
                await asyncio.wait({running})
                await exchange.over()
            await back(store)

            used, left_open = await _books(store)
            if exchange.permit is None:
                assert used == [0, 0, 0], "nobody knows of it, so it was never there"
            else:
                assert used[0] == 1
                assert used[2] == 0, "its slot is free"
                if exchange.settling and running.cancelled():  # what was reserved stays, at most
                    assert ACTUAL <= used[1] <= RESERVED + FURTHER
                else:
                    assert used[1] == ACTUAL
            assert left_open == (used[1] > ACTUAL), "an extension that was left out is reserved"
            if not running.cancelled():
                break
            cut_in.add(exchange.steps[-1])
    else:
        pytest.fail("the exchange never ran to its end undisturbed")
    assert cut_in == ({"admit"} if still else {"admit", "extend", "renew", "settle"})


async def _cut(exchange: Exchange, at: int, *, told: bool) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def cut() -> None:
        """One turn of the loop later the connection has written what was asked."""
        if told:
            loop.call_soon(task.cancel)
        else:
            task.cancel()

    await interrupted(exchange.run(), at, cut)


async def _books(store: OutageStore) -> tuple[list[int], int]:
    looked = await store.inspect("acct_1", (charge(REQUESTS), charge(TOKENS), charge(SLOTS)))
    return [reading.used for reading in looked.readings], await store.open_reservations()

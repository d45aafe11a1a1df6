"""The stores under contract, and the servers behind them."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack

import pytest

from gateway.decision.port import OperatorStore
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore
from tests.parts.redis_servers import KINDS, RedisServer, running

TIMEOUT_SECONDS = 10
"""Generous: a machine that is busy with other tests is no fault of the store's."""

Make = Callable[[Callable[[], int]], OperatorStore]


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], RedisServer]]:
    """Each kind is started when it is first asked for, and stopped at the end."""
    started: dict[str, RedisServer] = {}
    with ExitStack() as stack:

        def server(kind: str) -> RedisServer:
            if kind not in started:
                started[kind] = stack.enter_context(running(kind))
            return started[kind]

        yield server


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, servers: Callable[[str], RedisServer]) -> RedisServer:
    return servers(request.param)


OVER_REDIS_PY = "valkey over redis-py"


@pytest.fixture(params=("memory", *KINDS, OVER_REDIS_PY))
async def make(
    request: pytest.FixtureRequest, servers: Callable[[str], RedisServer]
) -> AsyncIterator[Make]:
    """Makes a store of each kind, empty, on a clock of the test's."""
    async with AsyncExitStack() as stack:

        def make_store(clock: Callable[[], int]) -> OperatorStore:
            if request.param == "memory":
                return MemoryStore(clock)
            server = servers(request.param.partition(" ")[0])
            store = RedisStore(
                server.url,
                clock=clock,
                prefix=server.fresh_prefix(),
                timeout_seconds=TIMEOUT_SECONDS,
                pipelined=request.param != OVER_REDIS_PY,
            )
            stack.push_async_callback(store.aclose)
            return store

        yield make_store

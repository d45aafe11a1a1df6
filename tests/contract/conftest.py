"""The stores under contract, and the servers behind them."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack

import pytest

from gateway.decision.port import OperatorStore
from gateway.store.memory import MemoryStore
from gateway.store.redis import ClusterStore, RedisStore
from tests.parts.redis_nodes import Group, cluster
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


@pytest.fixture(scope="session")
def three_nodes() -> Iterator[Callable[[], Group]]:
    """A cluster, started when it is first asked for."""
    started: list[Group] = []
    with ExitStack() as stack:

        def group() -> Group:
            if not started:
                started.append(stack.enter_context(cluster(3)))
            return started[0]

        yield group


OVER_REDIS_PY = "valkey over redis-py"
CLUSTER = "cluster of three"


@pytest.fixture(params=("memory", *KINDS, OVER_REDIS_PY, CLUSTER))
async def make(
    request: pytest.FixtureRequest,
    servers: Callable[[str], RedisServer],
    three_nodes: Callable[[], Group],
) -> AsyncIterator[Make]:
    """Makes a store of each kind, empty, on a clock of the test's."""
    async with AsyncExitStack() as stack:

        def make_store(clock: Callable[[], int]) -> OperatorStore:
            if request.param == "memory":
                return MemoryStore(clock)
            if request.param == CLUSTER:
                spread = ClusterStore(
                    three_nodes().url,
                    clock=clock,
                    prefix=three_nodes().server().fresh_prefix(),
                    timeout_seconds=TIMEOUT_SECONDS,
                )
                stack.push_async_callback(spread.aclose)
                return spread
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

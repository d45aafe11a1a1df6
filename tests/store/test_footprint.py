"""The formula of `check --cost`, held to what partitions take in the real stores."""

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from gateway.policy.parse import load
from gateway.policy.quota import Limit
from gateway.store.footprint import memory_bytes, redis_bytes
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore
from tests.parts.clock import Clock
from tests.parts.filled import fill
from tests.parts.redis_servers import KINDS, RedisServer, running

SETS = {
    "sliding": ("limit: 1k tokens/day",),
    "large": ("limit: 2M tokens/day",),
    "several": ("limit: 600/minute", "limit: 400k tokens/hour", "limit: 2M tokens/day"),
    "bucket": ("limit: 500k tokens/hour, window: bucket",),
    "paced": ("limit: 600/minute, window: bucket",),
    "calendar": ("limit: 40M tokens/day, window: calendar",),
    "slots": ("limit: 8 concurrent",),
}
ACCOUNTS = 40


def limits(name: str) -> list[Limit]:
    rules = ", ".join(f"{{id: q{at}, why: w, {rule}}}" for at, rule in enumerate(SETS[name]))
    return list(load({"f.yaml": f"quotas: [{rules}]"}).limits)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with running(request.param) as started:
        yield started


@pytest.mark.parametrize("name", SETS)
async def test_in_redis_a_partition_takes_at_most_so_much_and_not_much_less(
    server: RedisServer, name: str
) -> None:
    clock, prefix = Clock(), server.fresh_prefix()
    store = RedisStore(server.url, clock=clock, prefix=prefix, timeout_seconds=10)
    await fill(store, clock, limits(name), 1)
    await store.aclose()
    with server.client() as client:
        (key,) = client.scan_iter(f"{prefix}:*")
        real = client.memory_usage(key, samples=0)
    assert real is not None
    assert 0.95 * real <= redis_bytes(limits(name)) <= 1.6 * real


@pytest.mark.parametrize("name", SETS)
async def test_in_memory_a_partition_takes_about_so_much(name: str) -> None:
    clock = Clock()
    await fill(MemoryStore(clock), clock, limits(name), 1)  # whatever is made once is made now
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        store = MemoryStore(clock)
        await fill(store, clock, limits(name), ACCOUNTS)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store) == ACCOUNTS
    real = (after - before) / ACCOUNTS
    assert 0.7 * real <= memory_bytes(limits(name)) <= 2 * real

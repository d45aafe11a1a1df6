"""The master that sentinels know of: counted there, and on the next one when it dies."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.redis import RedisStore
from tests.parts.redis_nodes import Group, sentinels
from tests.parts.values import MINUTE_US, charge, limit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FIVE = limit(5, window_us=60 * MINUTE_US)


@pytest.fixture
def group() -> Iterator[Group]:
    with sentinels(replicas=2) as started:  # one is left to wait for when one has become master
        yield started


async def reserved(store: RedisStore, name: str) -> bool:
    return (await store.reserve(name, (charge(FIVE),))).admitted


async def test_what_sentinels_name_is_counted_in_and_a_failover_with_wait_loses_nothing(
    group: Group,
) -> None:
    store = RedisStore(f"{group.url}?wait=1", timeout_seconds=2.0)
    try:
        await store.start()
        assert [await reserved(store, f"before-{n}") for n in range(3)] == [True] * 3
        group.nodes[0].kill()
        after: list[bool] = []
        async with asyncio.timeout(60):
            while len(after) < 4:
                try:
                    after.append(await reserved(store, f"after-{len(after)}"))
                except StoreUnavailable:
                    await asyncio.sleep(0.1)
        assert after == [True, True, False, False]
    finally:
        await store.aclose()

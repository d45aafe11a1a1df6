"""What is promised of an operator's hand in Redis alone: other replicas, trips, and keys' lives."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.decision.hand import Ban, Grant
from gateway.policy.quota import SECOND_US, Unit
from gateway.store.redis import RedisStore
from tests.contract.conftest import TIMEOUT_SECONDS
from tests.contract.test_redis import calls
from tests.parts.redis_servers import RedisServer
from tests.parts.values import charge, limit

REQUESTS = charge(limit(3, quota_id="requests"))
HOUR_US = 3600 * SECOND_US


@pytest.fixture
def prefix(server: RedisServer) -> str:
    return server.fresh_prefix()


@pytest.fixture
async def replicas(server: RedisServer, prefix: str) -> AsyncIterator[list[RedisStore]]:
    """Two, on the server's own clock."""
    two = [RedisStore(server.url, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS) for _ in "ab"]
    for store in two:
        await store.start()
    yield two
    for store in two:
        await store.aclose()


async def ban(store: RedisStore, lasting_us: int = HOUR_US) -> None:
    until_us = await store.clock_us() + lasting_us
    await store.change_hand("acct_1", lambda hand: hand.with_ban(Ban(until_us)))


async def test_a_ban_holds_on_another_replica_with_its_next_request(
    replicas: list[RedisStore],
) -> None:
    one, other = replicas
    assert (await other.reserve("before", (REQUESTS,), "acct_1")).admitted
    await ban(one)
    refused = await other.reserve("after", (REQUESTS,), "acct_1")
    assert refused.hand.ban is not None
    assert other.last_seen.ban("acct_1", refused.at_us) == refused.hand.ban
    await one.change_hand("acct_1", lambda hand: hand.with_ban(None))
    assert (await other.reserve("lifted", (REQUESTS,), "acct_1")).admitted
    assert other.last_seen.ban("acct_1", refused.at_us) is None


async def test_a_hand_costs_one_more_trip_when_it_changes_and_none_after(
    server: RedisServer, replicas: list[RedisStore]
) -> None:
    one, other = replicas
    await ban(one)
    trips = []
    for i in range(3):
        before = calls(server)["evalsha"]
        await other.reserve(f"r{i}", (REQUESTS,), "acct_1")
        trips.append(calls(server)["evalsha"] - before)
    assert trips == [2, 1, 1]


async def test_a_banned_request_writes_nothing(
    server: RedisServer, prefix: str, replicas: list[RedisStore]
) -> None:
    await ban(replicas[0])
    before = server.dump(prefix)
    for store in replicas:
        assert not (await store.reserve("r", (REQUESTS,), "acct_1")).admitted
        await store.inspect("acct_1", (REQUESTS,))
    assert server.dump(prefix) == before


async def test_a_key_lives_as_long_as_the_hand_in_it_and_no_longer(
    server: RedisServer, prefix: str, replicas: list[RedisStore]
) -> None:
    await ban(replicas[0], 50 * HOUR_US)
    (ms,) = server.milliseconds_to_live(prefix)
    assert 50 * 3_600_000 - 5_000 < ms < 50 * 3_600_000 + 5_000
    await replicas[0].change_hand("acct_1", lambda hand: hand.with_ban(None))
    assert server.dump(prefix) == {}
    until_us = await replicas[0].clock_us() + 50 * HOUR_US
    grant = Grant("requests", Unit.REQUESTS, 5, until_us)
    await replicas[0].change_hand("acct_1", lambda hand: hand.with_grant(grant))
    await replicas[1].reserve("r", (REQUESTS,), "acct_1")
    (ms,) = server.milliseconds_to_live(prefix)
    assert 50 * 3_600_000 - 5_000 < ms < 50 * 3_600_000 + 5_000, "charging does not shorten it"


async def test_operators_who_change_an_account_at_once_lose_nothing(
    replicas: list[RedisStore],
) -> None:
    until_us = await replicas[0].clock_us() + HOUR_US
    grant = Grant("requests", Unit.REQUESTS, 1, until_us)
    await asyncio.gather(
        *(store.change_hand("acct_1", lambda hand: hand.with_grant(grant)) for store in replicas)
    )
    found = await replicas[0].inspect("acct_1", (REQUESTS,))
    assert found.hand.grants == (grant, grant)

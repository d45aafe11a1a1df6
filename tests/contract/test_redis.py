"""What is promised of the store in Redis alone: keys, trips, commands, and what goes wrong."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.decision.plan import Charge, Partition
from gateway.decision.port import RECORD_US, Reservation, SettledCharge
from gateway.errors import SettingsError, StoreUnavailable
from gateway.policy.quota import SECOND_US, Period, Unit, WindowKind
from gateway.store.redis import RedisStore
from tests.contract.conftest import TIMEOUT_SECONDS
from tests.parts.clock import Clock
from tests.parts.redis_servers import KINDS, RedisServer, running
from tests.parts.values import MINUTE_US, calendar_limit, charge, limit

FOUR = (
    charge(limit(1000, quota_id="rpm")),
    charge(limit(10**6, Unit.TOKENS, quota_id="tpm"), 700),
    charge(limit(10**7, Unit.TOKENS, quota_id="tpd", window_us=24 * 60 * MINUTE_US), 700),
    charge(limit(50, Unit.CONCURRENT, quota_id="slots")),
)


@pytest.fixture
def prefix(server: RedisServer) -> str:
    return server.fresh_prefix()


@pytest.fixture
async def store(server: RedisServer, prefix: str) -> AsyncIterator[RedisStore]:
    """On the server's own clock."""
    store = RedisStore(server.url, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS)
    await store.start()
    yield store
    await store.aclose()


def settled(charges: tuple[Charge, ...], tokens: int) -> tuple[SettledCharge, ...]:
    return tuple(SettledCharge(c, tokens if c.limit.unit is Unit.TOKENS else 0) for c in charges)


def calls(server: RedisServer) -> dict[str, int]:
    """How often each command was called, from wherever; what we use to look does not count."""
    with server.client() as client:
        stats = client.info("commandstats")
    return {
        name.removeprefix("cmdstat_"): of["calls"]
        for name, of in stats.items()
        if "info" not in name
    }


async def commands(server: RedisServer, store: RedisStore, name: str) -> dict[str, int]:
    before = calls(server)
    await store.reserve(name, FOUR)
    after = calls(server)
    return {
        command: n - before.get(command, 0)
        for command, n in after.items()
        if n != before.get(command, 0)
    }


async def test_a_refusal_leaves_every_byte_as_it_was(
    server: RedisServer, prefix: str, store: RedisStore
) -> None:
    scarce = charge(limit(1, quota_id="scarce"))
    everything = (*FOUR, charge(limit(900, Unit.TOKENS, quota_id="b", kind=WindowKind.BUCKET), 700))
    assert (await store.reserve("first", (*everything, scarce))).admitted
    before = server.dump(prefix)
    elsewhere = Partition((("request.model", "new"),))
    for charges in (
        (*everything, scarce),
        (scarce, *reversed(everything)),
        (Charge(limit(5), elsewhere, 1), scarce),
    ):
        assert not (await store.reserve("again", charges)).admitted
    assert server.dump(prefix) == before


async def test_one_hash_for_each_partition(
    server: RedisServer, prefix: str, store: RedisStore
) -> None:
    model = Partition((("account.id", "acct_1"), ("request.model", "small")))
    await store.reserve("r", (*FOUR, Charge(limit(5, quota_id="by-model"), model, 1)))
    keys = server.dump(prefix)
    assert sorted(len(fields) for fields in keys.values()) == [2, 5]
    tags = {key[key.index(b"{") : key.index(b"}")] for key in keys}
    assert len(tags) == 1, "an account's partitions share a slot"


async def test_every_key_lives_as_long_as_it_matters_and_no_longer(
    server: RedisServer, prefix: str, store: RedisStore
) -> None:
    minute, day = charge(limit(9)), FOUR[2]
    reserved = await store.reserve("r", (minute,))
    (ms,) = server.milliseconds_to_live(prefix)
    assert RECORD_US // 1000 - 5000 < ms < RECORD_US // 1000 + 2000, "its record lasts an hour"
    await store.settle(Reservation("r", reserved.at_us, (minute,)), settled((minute,), 1))
    (ms,) = server.milliseconds_to_live(prefix)
    assert MINUTE_US // 1000 - 5000 < ms < MINUTE_US * 65 // 64 // 1000 + 2000
    reserved = await store.reserve("d", (day,))
    await store.settle(Reservation("d", reserved.at_us, (day,)), settled((day,), 1))
    await store.reserve("s", (minute,))
    (ms,) = server.milliseconds_to_live(prefix)
    assert ms > day.limit.window_us // 1000, "a short limit does not shorten a long one's life"


async def test_nothing_is_left_when_all_has_lapsed(
    server: RedisServer, prefix: str, store: RedisStore
) -> None:
    charges = (
        charge(limit(9, window_us=SECOND_US)),
        charge(limit(900, Unit.TOKENS, quota_id="t", window_us=SECOND_US), 90),
        charge(limit(9, quota_id="p", kind=WindowKind.BUCKET, window_us=SECOND_US)),
        charge(limit(9, Unit.CONCURRENT, quota_id="s", lease_us=SECOND_US)),
    )
    for i in range(3):
        reserved = await store.reserve(f"r{i}", charges)
        of = Reservation(f"r{i}", reserved.at_us, charges)
        assert await store.settle(of, settled(charges, 10))
    assert await store.open_reservations() == 0
    deadline = time.monotonic() + 20
    while server.dump(prefix):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)  # the server expires in its own time


async def test_no_value_of_a_caller_stands_in_a_key_or_field(
    server: RedisServer, prefix: str, store: RedisStore
) -> None:
    values = [
        "canary-account",
        "canary/model\r\nDEL x",
        "canary" * 2000,
        "{canary}",
        "\ud800canary",
    ]
    for i, value in enumerate(values):
        partition = Partition((("account.id", value), ("request.end_user", value)))
        assert (await store.reserve(f"canary-{i}", (Charge(limit(1), partition, 1),))).admitted
    dump = server.dump(prefix)
    assert len(dump) == len(values)
    assert b"canary" not in repr(dump).encode()
    assert max(len(key) for key in dump) < 80


async def test_a_holder_is_not_mistaken_for_the_end_of_one_and_the_start_of_another(
    server: RedisServer, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    deadline = (clock.now_us + RECORD_US).to_bytes(7, "little")
    digests = {"one": b"12345678", "two": b"abcdefgh", "between": deadline + b"a"}
    monkeypatch.setattr("gateway.store.redis.counters.holder_digest", digests.__getitem__)
    store = RedisStore(server.url, clock=clock, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS)
    one = charge(limit(9, Unit.TOKENS))
    try:
        for name in ("one", "two"):
            await store.reserve(name, (one,))
        of = {name: Reservation(name, clock.now_us, (one,)) for name in digests}
        assert not await store.settle(of["between"], settled((one,), 0))
        await store.reserve("between", (one,))
        assert await store.settle(of["between"], settled((one,), 0))
        assert not await store.settle(of["between"], settled((one,), 0))
        assert await store.settle(of["one"], settled((one,), 0))
        assert await store.settle(of["two"], settled((one,), 0))
    finally:
        await store.aclose()


async def test_a_script_flush_is_invisible(server: RedisServer, store: RedisStore) -> None:
    held = charge(limit(5, Unit.CONCURRENT, quota_id="s"))
    reserved = await store.reserve("r", (held,))
    of = Reservation("r", reserved.at_us, (held,))
    for again in (
        lambda: store.renew(of),
        lambda: store.reserve("q", (held,)),
        lambda: store.settle(of, settled((held,), 0)),
    ):
        with server.client() as client:
            client.script_flush()
        await again()
    assert (await store.reserve("t", (held,))).readings[0].used == 2


async def test_two_gateways_at_once_admit_exactly_the_limit(
    server: RedisServer, prefix: str, store: RedisStore
) -> None:
    other = RedisStore(server.url, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS)
    charges = (
        charge(limit(50, quota_id="rph", window_us=3600 * SECOND_US)),
        charge(limit(10**6, Unit.TOKENS, quota_id="tph", window_us=3600 * SECOND_US), 700),
    )
    answers = await asyncio.gather(
        *((store, other)[i % 2].reserve(f"r{i}", charges) for i in range(200))
    )
    await other.aclose()
    assert sum(answer.admitted for answer in answers) == 50
    assert await store.open_reservations() == 50
    assert (await store.reserve("last", charges)).readings[1].used == 50 * 700


async def test_two_gateways_with_clocks_an_hour_apart_admit_what_one_would(
    server: RedisServer, prefix: str, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's clock decides; what a gateway believes is not even asked."""
    other = RedisStore(server.url, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    verdicts = [(await s.reserve(f"{i}", FOUR)).admitted for i in range(30) for s in (store, other)]
    await other.aclose()
    assert sum(verdicts) == FOUR[3].limit.amount


async def test_a_guess_of_the_server_s_clock_that_is_hours_off_costs_one_more_trip_once(
    server: RedisServer, prefix: str
) -> None:
    clock = Clock()
    store = RedisStore(
        server.url,
        clock=clock,
        near=lambda: clock.now_us - 5 * 3600 * SECOND_US,
        prefix=prefix,
        timeout_seconds=TIMEOUT_SECONDS,
    )
    await store.start()
    hour = charge(calendar_limit(1000, Period.HOUR, Unit.TOKENS), 100)
    try:
        before = calls(server).get("evalsha", 0)
        reserved = [await store.reserve(f"r{i}", (hour,)) for i in range(3)]
        of = Reservation("r0", reserved[0].at_us, (hour,))
        assert await store.settle(of, settled((hour,), 20))
        assert calls(server)["evalsha"] - before == 1 + 3 + 1
        assert [one.readings[0].used for one in reserved] == [100, 200, 300]
    finally:
        await store.aclose()


async def test_a_clock_that_leaps_from_window_to_window_is_no_clock(
    server: RedisServer, prefix: str
) -> None:
    clock = Clock()
    hours = count()

    def leaping() -> int:
        return clock.now_us + next(hours) * 5 * 3600 * SECOND_US

    store = RedisStore(server.url, clock=leaping, near=lambda: 0, prefix=prefix)
    hour = charge(calendar_limit(9, Period.HOUR))
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await store.reserve("r", (hour,))
        assert caught.value.kind == "clock"
        assert server.dump(prefix) == {}
    finally:
        await store.aclose()


async def test_a_reservation_is_one_trip_and_as_many_commands_however_much_is_counted(
    server: RedisServer, prefix: str
) -> None:
    clock = Clock()
    store = RedisStore(server.url, clock=clock, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS)
    await store.start()
    try:
        await store.reserve("warm", FOUR)
        seen = []
        for i in range(80):
            clock.now_us += MINUTE_US // 64
            if i % 20 == 0:
                seen.append(await commands(server, store, f"r{i}"))
            else:
                await store.reserve(f"r{i}", FOUR)
        assert seen == [{"evalsha": 1, "hmget": 1, "hset": 1, "pexpire": 1}] * 4
    finally:
        await store.aclose()


async def test_a_server_that_is_gone_is_unavailable() -> None:
    with running("valkey") as server:
        url = server.url
    store = RedisStore(url, timeout_seconds=1)
    try:
        for call in every_call(store):
            with pytest.raises(StoreUnavailable) as caught:
                await call()
            assert caught.value.kind == "connection"
            assert caught.value.__cause__ is not None
    finally:
        await store.aclose()


async def test_a_server_that_restarts_empty_is_found_again() -> None:
    with TemporaryDirectory(prefix="gauger-") as folder:
        with running("valkey", Path(folder)) as first:
            store = RedisStore(first.url, timeout_seconds=TIMEOUT_SECONDS)
            await asyncio.gather(*(store.reserve(f"r{i}", FOUR) for i in range(10)))
        with pytest.raises(StoreUnavailable):
            await store.reserve("away", FOUR)
        with running("valkey", Path(folder)):
            answers = await asyncio.gather(*(store.reserve(f"s{i}", FOUR) for i in range(10)))
            await store.aclose()
    assert sorted(answer.readings[0].used for answer in answers) == list(range(1, 11))


@pytest.mark.parametrize("kind", KINDS[:2])
async def test_a_silent_server_is_unavailable_within_its_timeout(
    servers: Callable[[str], RedisServer], kind: str
) -> None:
    server = servers(kind)
    store = RedisStore(server.url, prefix=server.fresh_prefix(), timeout_seconds=0.1)
    try:
        await store.start()
        with server.silent():
            for call in every_call(store):
                began = time.monotonic()
                with pytest.raises(StoreUnavailable) as caught:
                    await call()
                assert time.monotonic() - began < 3, "redis-py alone would wait 5 s and try again"
                assert caught.value.kind == "timeout"
        assert (await store.reserve("r", FOUR)).admitted
    finally:
        await store.aclose()


async def test_a_cancelled_call_leaves_no_answer_for_the_next(
    servers: Callable[[str], RedisServer],
) -> None:
    server = servers("valkey")
    store = RedisStore(server.url, prefix=server.fresh_prefix(), timeout_seconds=TIMEOUT_SECONDS)
    try:
        await store.start()
        with server.silent():
            tasks = [asyncio.create_task(store.reserve(f"c{i}", FOUR)) for i in range(5)]
            done, _ = await asyncio.wait(tasks, timeout=0.1)
            assert not done
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        other = charge(limit(7, quota_id="other", window_us=SECOND_US * 77))
        reserved = await store.reserve("next", (other,))
        assert [reading.used for reading in reserved.readings] == [1]
        assert reserved.readings[0].full_after_us > 76 * SECOND_US
    finally:
        await store.aclose()


async def test_more_calls_than_connections_wait_their_turn(store: RedisStore) -> None:
    """redis-py's ordinary pool raises at its cap although the server is well."""
    one = charge(limit(10**6, quota_id="many"))
    answers = await asyncio.gather(*(store.reserve(f"r{i}", (one,)) for i in range(300)))
    assert all(answer.admitted for answer in answers)


async def test_a_rejected_password_is_named_and_not_told(server: RedisServer) -> None:
    address = server.url_for("gauger", "s3cret-canary")
    store = RedisStore(address, timeout_seconds=TIMEOUT_SECONDS)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await store.start()
        assert caught.value.kind == "auth"
        told = f"{caught.value} {caught.value.__cause__} {store!r}"
        assert "s3cret" not in told
    finally:
        await store.aclose()


async def test_a_replica_that_takes_no_writes_is_unavailable() -> None:
    with running("valkey") as server, server.client() as client:
        client.replicaof("127.0.0.1", "1")
        store = RedisStore(server.url, timeout_seconds=TIMEOUT_SECONDS)
        try:
            with pytest.raises(StoreUnavailable) as caught:
                await store.reserve("r", FOUR)
            assert caught.value.kind == "readonly"
        finally:
            await store.aclose()


async def test_a_server_out_of_memory_is_unavailable() -> None:
    with running("redis8") as server, server.client() as client:
        client.config_set("maxmemory", "1")
        store = RedisStore(server.url, timeout_seconds=TIMEOUT_SECONDS)
        try:
            with pytest.raises(StoreUnavailable) as caught:
                await store.reserve("r", FOUR)
            assert caught.value.kind == "oom"
        finally:
            await store.aclose()


@contextmanager
def setting(server: RedisServer, name: str, value: str) -> Iterator[None]:
    with server.client() as client:
        before = client.config_get(name)[name]
        client.config_set(name, value)
        try:
            yield
        finally:
            client.config_set(name, before)


async def test_a_policy_that_evicts_counters_is_named_at_start(
    server: RedisServer, store: RedisStore
) -> None:
    assert store.warnings == []
    for policy in ("allkeys-lru", "volatile-ttl"):
        with setting(server, "maxmemory-policy", policy):
            await store.start()
        assert len(store.warnings) == 1
        assert policy in store.warnings[0]
    await store.start()
    assert store.warnings == []


async def test_a_server_that_hides_its_settings_is_used_all_the_same(
    server: RedisServer, prefix: str
) -> None:
    rights = ["+@all", "-config", "-@dangerous"]
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">pw", f"~{prefix}:*", *rights)
        try:
            address = server.url_for("app", "pw")
            store = RedisStore(address, prefix=prefix, timeout_seconds=TIMEOUT_SECONDS)
            await store.start()
            assert store.warnings == []
            assert (await store.reserve("r", FOUR)).admitted
            await store.aclose()
        finally:
            client.execute_command("ACL", "DELUSER", "app")


def every_call(store: RedisStore) -> list[Callable[[], Awaitable[object]]]:
    held = (FOUR[3],)
    of = Reservation("r", 1, held)
    return [
        store.start,
        store.ping,
        lambda: store.reserve("r", FOUR),
        lambda: store.settle(of, settled(held, 0)),
        lambda: store.renew(of),
        store.open_reservations,
    ]


async def test_two_secrets_cannot_share_a_store(server: RedisServer, prefix: str) -> None:
    async def start(fingerprint: str) -> None:
        store = RedisStore(
            server.url,
            prefix=prefix,
            timeout_seconds=TIMEOUT_SECONDS,
            secret_fingerprint=fingerprint,
        )
        try:
            await store.start()
        finally:
            await store.aclose()

    await start("0123456789abcdef")
    with server.client() as client:
        client.expire(f"{prefix}.secret", 60)
    await start("0123456789abcdef")
    with pytest.raises(SettingsError, match=r"have another secret.*twice its limits"):
        await start("fedcba9876543210")
    with server.client() as client:
        assert client.ttl(f"{prefix}.secret") > 60, "whoever starts keeps it from lapsing"
        client.delete(f"{prefix}.secret")
    await start("fedcba9876543210")


async def test_another_secret_that_is_seen_late_is_told_and_served(
    server: RedisServer, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The store was away at the start, so nobody could be asked."""
    with server.client() as client:
        client.set(f"{prefix}.secret", "0123456789abcdef")
    store = RedisStore(
        server.url,
        prefix=prefix,
        timeout_seconds=TIMEOUT_SECONDS,
        secret_fingerprint="fedcba9876543210",
    )
    try:
        for _ in range(2):
            assert (await store.present("replica", SECOND_US)).replicas == 1
        assert await store.open_reservations() == 0
    finally:
        await store.aclose()
    assert [r.levelname for r in caplog.records if "another secret" in r.message] == ["ERROR"]

import logging

import pytest

from gateway.errors import SettingsError
from gateway.policy.quota import OnStoreFailure, Policies
from gateway.store.memory import MemoryStore
from gateway.store.outage import OutageStore
from gateway.wiring.stores import greet, kind, open_store, standing
from tests.parts.raw_server import unused_port
from tests.parts.redis_servers import KINDS, running
from tests.parts.values import limit, policies, quota


def quotas(mode: OnStoreFailure) -> Policies:
    return policies(quota(limit(5, on_store_failure=mode)))


def nowhere() -> str:
    return f"redis://127.0.0.1:{unused_port()}/0"


def test_a_url_names_its_store() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)
    assert isinstance(open_store("unix:///nowhere"), OutageStore)
    with pytest.raises(SettingsError, match='"mysql" is not known'):
        open_store("mysql://counters")


def test_the_kind_of_a_store_tells_nothing_of_its_password() -> None:
    assert kind("redis://user:password@counters:6379/0") == "redis"


@pytest.mark.parametrize(
    ("mode", "replicas", "state"),
    [
        (OnStoreFailure.SHARE, None, "unavailable"),
        (OnStoreFailure.SHARE, 3, "degraded"),
        (OnStoreFailure.OPEN, None, "degraded"),
        (OnStoreFailure.CLOSED, 3, "unavailable"),
    ],
)
async def test_whether_a_process_without_its_store_is_ready_is_what_its_quotas_say(
    mode: OnStoreFailure, replicas: int | None, state: str
) -> None:
    store = open_store(nowhere(), replicas=replicas)
    try:
        await greet(store)
        found = await standing(store, quotas(mode))
        assert found.fault == "connection"
        assert found.state == state
        assert (found.unready is None) == (state == "degraded")
    finally:
        await store.aclose()


async def test_a_store_that_is_away_at_the_start_is_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = open_store(nowhere())
    try:
        with caplog.at_level(logging.ERROR):
            await greet(store)
        assert "each quota's on_store_failure holds" in caplog.text
        assert "--replicas" in caplog.text
    finally:
        await store.aclose()


async def test_memory_is_always_there() -> None:
    store = open_store("memory://")
    await greet(store)
    assert (await standing(store, quotas(OnStoreFailure.CLOSED))).state == "ok"


async def test_a_gauger_with_another_secret_does_not_start() -> None:
    """Each account would have two names in the store, and twice its limits."""
    with running(KINDS[0]) as server:
        ours = open_store(server.url, timeout_s=5.0, secret_fingerprint="0123456789abcdef")
        theirs = open_store(server.url, timeout_s=5.0, secret_fingerprint="fedcba9876543210")
        try:
            await greet(ours)
            with pytest.raises(SettingsError, match="have another secret"):
                await greet(theirs)
        finally:
            await theirs.aclose()
            await ours.aclose()

import logging

import pytest

from gateway.errors import SettingsError
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore
from gateway.wiring.stores import fault, greet, is_ready, kind, open_store
from tests.parts.raw_server import unused_port


def test_a_url_names_its_store() -> None:
    assert isinstance(open_store("memory://"), MemoryStore)
    assert isinstance(open_store("unix:///nowhere"), RedisStore)
    with pytest.raises(SettingsError, match='"mysql" is not known'):
        open_store("mysql://counters")


def test_the_kind_of_a_store_tells_nothing_of_its_password() -> None:
    assert kind("redis://user:password@counters:6379/0") == "redis"


async def test_a_store_that_is_away_is_told_of_and_makes_nobody_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = open_store(f"redis://127.0.0.1:{unused_port()}/0")
    try:
        with caplog.at_level(logging.ERROR):
            await greet(store)
        assert "requests are refused until it does" in caplog.text
        assert await fault(store) is not None
        assert not await is_ready(store)
    finally:
        await store.aclose()


async def test_memory_is_always_there() -> None:
    store = open_store("memory://")
    await greet(store)
    assert await is_ready(store)

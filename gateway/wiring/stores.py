"""The store that a URL names, and how it is."""

import logging

from gateway.decision.port import Store
from gateway.errors import SettingsError, StoreUnavailable
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore
from gateway.wiring.clock import wall_clock_us

_log = logging.getLogger(__name__)


def open_store(url: str) -> MemoryStore | RedisStore:
    """`memory://`, or the URL of a Redis. Nothing is connected yet. Raises `SettingsError`."""
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryStore(wall_clock_us)
    if scheme in ("redis", "rediss", "unix"):
        return RedisStore(url)
    raise SettingsError(
        f'store: "{scheme}" is not known. Allowed: memory://, redis://HOST:PORT/DB, '
        "rediss:// (TLS), unix://PATH."
    )


async def greet(store: MemoryStore | RedisStore) -> None:
    """Say at once what is wrong with the store; requests are refused until it answers."""
    if isinstance(store, MemoryStore):
        return
    try:
        await store.start()
    except StoreUnavailable as error:
        _log.error("The store does not answer (%s): requests are refused until it does.", error)
        return
    for warning in store.warnings:
        _log.warning("store: %s", warning)


async def fault(store: Store) -> str | None:
    try:
        await store.ping()
    except StoreUnavailable as error:
        return error.kind
    return None


async def is_ready(store: Store) -> bool:
    return await fault(store) is None


def kind(url: str) -> str:
    """Without user, password, host or database."""
    return url.partition("://")[0]

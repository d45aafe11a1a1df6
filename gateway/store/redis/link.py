"""The connection to the server: redis-py behind a seam, its errors translated.

Nothing is tried twice behind the caller's back: a stall is seen as a stall. The one exception is a
script that the server has forgotten, which was certainly not run.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis import exceptions as theirs
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.errors import SettingsError, StoreUnavailable
from gateway.store.redis.scripts import ALL, Script
from gateway.store.redis.words import Raw, Word

POOL_CONNECTIONS = 32

_KINDS: tuple[tuple[type[Exception], str, str], ...] = (
    (theirs.AuthenticationError, "auth", "rejects our name or password"),
    (theirs.AuthorizationError, "auth", "forbids us a command that we need"),
    (theirs.NoPermissionError, "auth", "forbids us a command or key that we need"),
    (theirs.BusyLoadingError, "loading", "is still loading its data"),
    (theirs.TimeoutError, "timeout", "did not answer in time"),
    (TimeoutError, "timeout", "did not answer in time"),
    (theirs.ConnectionError, "connection", "cannot be reached, or hung up"),
    (theirs.ReadOnlyError, "readonly", "is a replica and takes no writes"),
    (theirs.OutOfMemoryError, "oom", "is out of memory"),
    (theirs.ResponseError, "response", "answered with an error"),
    (theirs.RedisError, "protocol", "answered with something that makes no sense"),
    (OSError, "connection", "cannot be reached, or hung up"),
)
"""The first that fits; the kind is a metric's label."""

_POOL_EMPTY = "No connection available."
"""BlockingConnectionPool raises a plain ConnectionError with these words."""


class Link:
    """A pool of connections to one server. Raises `StoreUnavailable` and nothing of redis-py's."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        """`url`: `redis://`, `rediss://` or `unix://`. Raises SettingsError if it is none."""
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=POOL_CONNECTIONS,
                timeout=timeout_seconds,
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
                retry=Retry(NoBackoff(), 0),
                protocol=2,  # no HELLO, no pushed messages; the scripts' answers are alike in both
                driver_info=None,  # no CLIENT SETINFO on each connect
            )
        except ValueError:
            # The cause would repeat a part of the address, which may be the password.
            raise SettingsError(
                "The store's address cannot be read. Write redis://[name:password@]host[:port][/db],"
                " rediss://... for TLS, or unix:///path/to/socket; in names and passwords write "
                "/ @ : ? # as %2F %40 %3A %3F %23."
            ) from None
        self._redis = Redis.from_pool(pool)
        self._command: Callable[..., Awaitable[Any]] = self._redis.execute_command

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        """One round trip; two after the server has lost its scripts."""
        said = (len(keys), *keys, *words)
        with _translated():
            try:
                answer = await self._command("EVALSHA", script.sha, *said)
            except theirs.NoScriptError:
                answer = await self._command("EVAL", script.text, *said)
        if not isinstance(answer, list):
            raise StoreUnavailable("The store answered no script of ours.", kind="protocol")
        return answer

    async def load_scripts(self) -> None:
        with _translated():
            for script in ALL:
                await self._command("SCRIPT LOAD", script.text)

    async def ping(self) -> None:
        with _translated():
            await self._command("PING")

    async def clock_us(self) -> int:
        with _translated():
            seconds, microseconds = await self._redis.time()
            return int(seconds) * 1_000_000 + int(microseconds)

    async def setting(self, name: str) -> str | None:
        """A setting of the server's; None where we may not ask, as with most hosted ones."""
        try:
            with _translated():
                found = await self._redis.config_get(name)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, theirs.ResponseError):
                return None
            raise
        return next((str(value) for value in found.values()), None)

    async def fields(self, pattern: str, field: str) -> AsyncIterator[bytes]:
        """One field of every hash whose key matches; for operators, not for the hot path."""
        with _translated():
            async for key in self._redis.scan_iter(match=pattern, count=1000):
                value = await self._command("HGET", key, field)
                if value is not None:
                    yield value

    async def drop(self, pattern: str) -> None:
        """Every key that matches. The server goes on answering others meanwhile."""
        with _translated():
            async for key in self._redis.scan_iter(match=pattern, count=1000):
                await self._command("UNLINK", key)

    async def aclose(self) -> None:
        with _translated():
            await self._redis.aclose()
            await self._redis.connection_pool.disconnect()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (theirs.RedisError, OSError) as error:
        reason: BaseException = error
        if isinstance(error.__cause__, theirs.RedisError):  # wrapped while connecting
            reason = error.__cause__
        kind, happened = next((k, h) for type_, k, h in _KINDS if isinstance(reason, type_))
        if str(error) == _POOL_EMPTY:
            kind, happened = "pool", "has no connection free for us"
        raise StoreUnavailable(f"The store {happened}.", kind=kind) from error

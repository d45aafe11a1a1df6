"""The connection to the server: redis-py behind a seam, its errors translated.

It reads the address, and is what `start`, `ping` and operators use. The hot path has a connection
of its own (`wire`), which does the same for scripts; both are under the same contract.

Nothing is tried twice behind the caller's back: a stall is seen as a stall. The one exception is a
script that the server has forgotten, which was certainly not run.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

from redis import exceptions as theirs
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.errors import SettingsError, StoreUnavailable
from gateway.store.redis.faults import translated, unavailable
from gateway.store.redis.scripts import ALL, Script
from gateway.store.redis.wire import Target
from gateway.store.redis.words import Raw, Word

POOL_CONNECTIONS = 32


class Scripts(Protocol):
    """Whoever runs scripts. Raises `StoreUnavailable` and nothing else."""

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        """One round trip; two after the server has lost its scripts."""
        ...

    async def aclose(self) -> None: ...


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

    def target(self) -> Target:
        """What redis-py makes of the address, TLS settings in its query included."""
        # What a connection knows differs by its kind, and redis-py's types do not tell of it.
        make: Callable[[], Any] = self._redis.connection_pool.make_connection
        connection = make()
        on_network = not isinstance(connection, UnixDomainSocketConnection)
        return Target(
            host=connection.host if on_network else "",
            port=connection.port if on_network else 0,
            path="" if on_network else connection.path,
            tls=connection.ssl_context.get() if isinstance(connection, SSLConnection) else None,
            username=connection.username,
            password=connection.password,
            database=int(connection.db),
        )

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        said = (len(keys), *keys, *words)
        with translated():
            try:
                answer = await self._command("EVALSHA", script.sha, *said)
            except theirs.NoScriptError:
                answer = await self._command("EVAL", script.text, *said)
        if not isinstance(answer, list):
            raise unavailable("protocol")
        return answer

    async def load_scripts(self) -> None:
        with translated():
            for script in ALL:
                await self._command("SCRIPT LOAD", script.text)

    async def ping(self) -> None:
        with translated():
            await self._command("PING")

    async def clock_us(self) -> int:
        with translated():
            seconds, microseconds = await self._redis.time()
            return int(seconds) * 1_000_000 + int(microseconds)

    async def setting(self, name: str) -> str | None:
        """A setting of the server's; None where we may not ask, as with most hosted ones."""
        try:
            with translated():
                found = await self._redis.config_get(name)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, theirs.ResponseError):
                return None
            raise
        return next((str(value) for value in found.values()), None)

    async def fields(self, pattern: str, field: str) -> AsyncIterator[bytes]:
        """One field of every hash whose key matches; for operators, not for the hot path."""
        with translated():
            async for key in self._redis.scan_iter(match=pattern, count=1000):
                value = await self._command("HGET", key, field)
                if value is not None:
                    yield value

    async def drop_fields(self, pattern: str, fields: Sequence[str]) -> None:
        """Of every hash whose key matches; for operators, not for the hot path."""
        with translated():
            async for key in self._redis.scan_iter(match=pattern, count=1000):
                await self._command("HDEL", key, *fields)

    async def drop(self, pattern: str) -> None:
        """Every key that matches. The server goes on answering others meanwhile."""
        with translated():
            async for key in self._redis.scan_iter(match=pattern, count=1000):
                await self._command("UNLINK", key)

    async def first_of(self, key: str, value: str, lasts_seconds: int) -> str:
        """What was set first; it lasts so long again if that was the same `value`."""
        with translated():
            await self._command("SET", key, value, "NX", "EX", lasts_seconds)
            found = await self._command("GET", key)
            if found == value.encode():
                await self._command("EXPIRE", key, lasts_seconds)
        return found.decode("ascii", "replace") if found else ""

    async def remove_member(self, key: str, member: str) -> None:
        """From a sorted set."""
        with translated():
            await self._command("ZREM", key, member)

    async def aclose(self) -> None:
        with translated():
            await self._redis.aclose()
            await self._redis.connection_pool.disconnect()

"""What is not on the way of a request: redis-py behind a seam, its errors translated.

`Link` is the connection to one server; `Admin` is what `start`, `ping` and operators need, whether
the keys are on one server or on many. The hot path has a connection
of its own (`wire`), which does the same for scripts; both are under the same contract.

Nothing is tried twice behind the caller's back: a stall is seen as a stall. The one exception is a
script that the server has forgotten, which was certainly not run.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

from redis import exceptions as theirs
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.errors import SettingsError, StoreUnavailable
from gateway.store.redis.address import CANNOT_BE_READ, Place
from gateway.store.redis.connection import Target
from gateway.store.redis.faults import translated, unavailable
from gateway.store.redis.scripts import ALL, Script
from gateway.store.redis.words import Raw, Word

POOL_CONNECTIONS = 32


class Scripts(Protocol):
    """Whoever runs scripts. Raises `StoreUnavailable` and nothing else."""

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        """One round trip; two after the server has lost its scripts."""
        ...

    async def aclose(self) -> None: ...


class Admin(ABC):
    """Raises `StoreUnavailable` and nothing else."""

    @abstractmethod
    async def command(self, key: str | bytes, *words: Word) -> Any:  # noqa: ANN401  # as answered
        """Said where the key is."""

    @abstractmethod
    def keys(self, pattern: str) -> AsyncIterator[bytes]:
        """All that match. The servers go on answering others meanwhile."""

    @abstractmethod
    async def links(self) -> "list[Link]":
        """To each server that counts."""

    async def all_links(self) -> "list[Link]":
        """And to those that may take over, as far as they are known."""
        return await self.links()

    @abstractmethod
    async def aclose(self) -> None: ...

    async def everywhere(self, *words: Word) -> list[Any]:
        """What each server that counts has answered."""
        links = await self.links()
        return await asyncio.gather(*(link.command(b"", *words) for link in links))

    async def ping(self) -> None:
        await self.everywhere("PING")

    async def load_scripts(self) -> None:
        for script in ALL:
            await self.everywhere("SCRIPT LOAD", script.text)

    async def clock_us(self) -> int:
        """Of one of the servers."""
        seconds, microseconds = await (await self.links())[0].command(b"", "TIME")
        return int(seconds) * 1_000_000 + int(microseconds)

    async def fields(self, pattern: str, field: str) -> AsyncIterator[bytes]:
        """One field of every hash whose key matches; for operators, not for the hot path."""
        async for key in self.keys(pattern):
            value = await self.command(key, "HGET", key, field)
            if value is not None:
                yield value

    async def drop_fields(self, pattern: str, fields: Sequence[str]) -> None:
        """Of every hash whose key matches; for operators, not for the hot path."""
        async for key in self.keys(pattern):
            await self.command(key, "HDEL", key, *fields)

    async def drop(self, pattern: str) -> None:
        """Every key that matches."""
        async for key in self.keys(pattern):
            await self.command(key, "UNLINK", key)

    async def first_of(self, key: str, value: str, lasts_seconds: int) -> str:
        """What was set first; it lasts so long again if that was the same `value`."""
        await self.command(key, "SET", key, value, "NX", "EX", lasts_seconds)
        found = await self.command(key, "GET", key)
        if found == value.encode():
            await self.command(key, "EXPIRE", key, lasts_seconds)
        return found.decode("ascii", "replace") if found else ""

    async def remove_member(self, key: str, member: str) -> None:
        """From a sorted set."""
        await self.command(key, "ZREM", key, member)


class Link(Admin):
    """A pool of connections to one server. Raises `StoreUnavailable` and nothing of redis-py's."""

    def __init__(self, url: str, *, timeout_seconds: float, at: Place | None = None) -> None:
        """`url`: `redis://`, `rediss://` or `unix://`; `at` is the place where it names none.

        Raises SettingsError if it cannot be read.
        """
        self.place = at
        where = {"host": at[0], "port": at[1]} if at else {}
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
                **where,
            )
        except ValueError:
            # The cause would repeat a part of the address, which may be the password.
            raise SettingsError(CANNOT_BE_READ) from None
        self._redis = Redis.from_pool(pool)
        self._command: Callable[..., Awaitable[Any]] = self._redis.execute_command

    def target(self) -> Target:
        """What redis-py makes of the address, TLS settings in its query included."""
        # What a connection knows differs by its kind, and redis-py's types do not tell of it.
        make: Callable[[], Any] = self._redis.connection_pool.make_connection
        try:
            connection = make()
        except TypeError:  # its query has a word that redis-py does not know
            raise SettingsError(CANNOT_BE_READ) from None
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

    async def command(self, key: str | bytes, *words: Word) -> Any:  # noqa: ANN401  # as answered
        del key  # there is one server
        with translated():
            return await self._command(*words)

    async def keys(self, pattern: str) -> AsyncIterator[bytes]:
        with translated():
            async for key in self._redis.scan_iter(match=pattern, count=1000):
                yield key

    async def links(self) -> "list[Link]":
        return [self]

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

    async def aclose(self) -> None:
        with translated():
            await self._redis.aclose()
            await self._redis.connection_pool.disconnect()

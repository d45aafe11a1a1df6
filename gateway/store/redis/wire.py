"""One connection to the server, shared by all calls: what one tick of the loop asks is one write.

redis-py takes a connection from its pool for each call and a write, a read and a timer of its own;
here a call costs a place in a queue. Answers come in the order of the questions. So a call that was
given up keeps its place, and its answer, when it comes, is thrown away.

A connection is made at the first call and again after it was lost; calls wait for it as long as
their own deadline allows. Nothing is asked twice, but for a script that the server has forgotten.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis

from gateway.errors import StoreUnavailable
from gateway.store.redis.faults import again, by_their_word, unavailable, unreachable
from gateway.store.redis.scripts import Script
from gateway.store.redis.words import Raw, Word

CONNECT_SECONDS = 2.0
"""For the connection, TLS and the password. A call waits no longer than its own deadline."""

SILENT_SECONDS = 2.0
"""A server that has owed an answer for so long is not behind this connection any more: a cable
that was cut ends no connection by itself."""

MOST_PENDING = 20_000
"""More than this waits only for a server that does not keep up."""

_JUST_A_MOMENT_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Target:
    """Where the server is and who we are there."""

    host: str = ""
    port: int = 0
    path: str = ""
    """Of a unix socket, in the place of host and port."""
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    def greeting(self) -> list[bytes]:
        """What has to be said before anything else."""
        said = []
        if self.password is not None:
            name = [self.username] if self.username else []
            said.append(_packed(("AUTH", *name, self.password)))
        if self.database:
            said.append(_packed(("SELECT", self.database)))
        return said


def _packed(words: tuple[Word, ...]) -> bytes:
    return hiredis.pack_command(words)  # type: ignore[arg-type,no-any-return]  # types of one word alone


class _Call:
    """One question. `answer` is done when nobody waits for it any more."""

    __slots__ = ("answer", "asked_at", "packed")

    def __init__(self, packed: bytes, answer: "asyncio.Future[Any]", asked_at: float) -> None:
        self.packed = packed
        self.answer = answer
        self.asked_at = asked_at

    def fail(self, error: StoreUnavailable) -> None:
        """Each waits for an error of its own: whoever raises it adds to it."""
        if not self.answer.done():
            self.answer.set_exception(again(error))


class Wire:
    """Runs scripts. Raises `StoreUnavailable` and nothing else."""

    def __init__(self, target: Target, *, timeout_seconds: float) -> None:
        """`timeout_seconds`: from the call to its answer, whatever happens in between."""
        self._target = target
        self._timeout = timeout_seconds
        self._unsent: deque[_Call] = deque()
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.on_lost: Callable[[StoreUnavailable], object] = lambda _: None
        """Told when a connection breaks that stood."""

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        """One round trip; two after the server has lost its scripts."""
        answer = await self._ask(("EVALSHA", script.sha, len(keys), *keys, *words))
        if isinstance(answer, hiredis.ReplyError) and str(answer).startswith("NOSCRIPT"):
            answer = await self._ask(("EVAL", script.text, len(keys), *keys, *words))
        if isinstance(answer, hiredis.ReplyError):
            error = by_their_word(answer)
            if error.kind in ("readonly", "auth"):
                self._drop(error)  # by now another server, or another password, may be right
            raise error
        if not isinstance(answer, list):
            raise unavailable("protocol")
        return answer

    async def aclose(self) -> None:
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        self._drop(unavailable("connection"))
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self, words: tuple[Word, ...]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        sent = self._connection.sent if self._connection else ()
        if self._closed or len(self._unsent) + len(sent) >= MOST_PENDING:
            answer.set_exception(unavailable("pool"))
            return answer
        self._unsent.append(_Call(_packed(words), answer, loop.time()))
        if not self._flushing:
            self._flushing = True
            loop.call_soon(self._flush)
        if self._timer is None:
            self._timer = loop.call_later(self._timeout, self._time_is_up)
        return answer

    def _flush(self) -> None:
        self._flushing = False
        if self._connection is not None:
            waited_for = [call for call in self._unsent if not call.answer.done()]
            self._unsent.clear()
            if waited_for:
                self._connection.send(waited_for)
        elif self._unsent and self._connecting is None and not self._closed:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        connection = _Connection(self._lost)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await _open(connection, self._target)
                await connection.greet(self._target.greeting())
        except (OSError, TimeoutError, StoreUnavailable) as error:
            connection.abort()
            told = error if isinstance(error, StoreUnavailable) else unreachable(error)
            self._fail(self._unsent, told)
        else:
            self._connection = connection
        finally:
            self._connecting = None
        self._flush()

    def _lost(self, connection: "_Connection", error: StoreUnavailable) -> None:
        """Whether what was sent was also done, nobody knows."""
        self._fail(connection.sent, error)
        if self._connection is connection:
            self._connection = None
            self.on_lost(error)
            self._flush()

    def _drop(self, error: StoreUnavailable) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            self._fail(connection.sent, error)
            if not self._closed:
                self.on_lost(error)
        if self._closed:
            self._fail(self._unsent, error)

    @staticmethod
    def _fail(calls: deque[_Call], error: StoreUnavailable) -> None:
        while calls:
            calls.popleft().fail(error)

    def _time_is_up(self) -> None:
        """One timer for all calls, since all wait equally long.

        A process that was busy itself finds the time over and the answers in its socket: it reads
        them first.
        """
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_JUST_A_MOMENT_SECONDS, self._look_at_the_time)

    def _look_at_the_time(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        sent: deque[_Call] = self._connection.sent if self._connection else deque()
        overdue = loop.time() - self._timeout
        waiting = self._next_deadline(sent, overdue)
        self._unsent = deque(call for call in self._unsent if not call.answer.done())
        if self._connection is not None and self._connection.is_silent(loop.time()):
            self._drop(unavailable("timeout"))
            self._flush()
        if waiting is not None:
            self._timer = loop.call_at(max(waiting, loop.time()), self._time_is_up)

    def _next_deadline(self, sent: deque[_Call], overdue: float) -> float | None:
        """Ends what is overdue. When to look again, if anything is owed."""
        for calls in (sent, self._unsent):
            for call in calls:
                if call.answer.done():
                    continue
                if call.asked_at > overdue:
                    return call.asked_at + self._timeout
                call.fail(unavailable("timeout"))
        return overdue + 2 * self._timeout if sent else None


class _Connection(asyncio.Protocol):
    """Bytes to answers, in order."""

    def __init__(self, lost: "Callable[[_Connection, StoreUnavailable], None]") -> None:
        self._on_lost: Callable[[_Connection, StoreUnavailable], None] | None = lost
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self.sent: deque[_Call] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def greet(self, greeting: list[bytes]) -> None:
        loop = asyncio.get_running_loop()
        calls = [_Call(packed, loop.create_future(), loop.time()) for packed in greeting]
        if calls:
            self.send(calls)
        for call in calls:
            answer = await call.answer
            if isinstance(answer, hiredis.ReplyError):
                raise by_their_word(answer)

    def send(self, calls: list[_Call]) -> None:
        self.sent.extend(calls)
        if self._transport is not None:
            self._transport.write(b"".join([call.packed for call in calls]))

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                call = self.sent.popleft()
                if not call.answer.done():
                    call.answer.set_result(answer)
        except (hiredis.ProtocolError, IndexError):  # no RESP, or more answers than questions
            self._end(unavailable("protocol"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(unreachable(exc or ConnectionResetError()))

    def is_silent(self, now: float) -> bool:
        return bool(self.sent) and now - self.sent[0].asked_at > SILENT_SECONDS

    def abort(self) -> None:
        self._on_lost = None
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: StoreUnavailable) -> None:
        on_lost, self._on_lost = self._on_lost, None
        if self._transport is not None:
            self._transport.abort()
        if on_lost is not None:
            on_lost(self, error)


async def _open(connection: _Connection, target: Target) -> None:
    loop = asyncio.get_running_loop()
    if target.path:
        await loop.create_unix_connection(lambda: connection, target.path, ssl=target.tls)
    else:
        await loop.create_connection(lambda: connection, target.host, target.port, ssl=target.tls)

"""One connection to a server: bytes to answers, in the order of the questions.

Where replicas must have what was written before it counts, what is written together is followed by
one WAIT, and nobody is answered before that is: one acknowledgement for many.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis

from gateway.errors import StoreUnavailable
from gateway.store.redis.faults import again, by_their_word, unavailable, unreachable
from gateway.store.redis.words import Word


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
            said.append(packed(("AUTH", *name, self.password)))
        if self.database:
            said.append(packed(("SELECT", self.database)))
        return said


def packed(words: tuple[Word, ...]) -> bytes:
    return hiredis.pack_command(words)  # type: ignore[arg-type,no-any-return]  # types of one word alone


class Call:
    """One question. `answer` is done when nobody waits for it any more."""

    __slots__ = ("answer", "asked_at", "held", "packed", "skip")

    def __init__(
        self, packed: bytes, answer: "asyncio.Future[Any]", asked_at: float, skip: int = 0
    ) -> None:
        self.packed = packed
        self.answer = answer
        self.asked_at = asked_at
        self.skip = skip
        """So many answers come before its own, and tell nothing."""
        self.held: Any = None
        """What the server answered, until replicas have it, too."""

    def fail(self, error: StoreUnavailable) -> None:
        """Each waits for an error of its own: whoever raises it adds to it."""
        if not self.answer.done():
            self.answer.set_exception(again(error))


@dataclass(frozen=True, slots=True)
class Copies:
    """What was written counts when so many replicas have it; they have so long for it."""

    replicas: int
    timeout_ms: int


class Connection(asyncio.Protocol):
    """Bytes to answers, in order."""

    def __init__(self, lost: "Callable[[Connection, StoreUnavailable], None]") -> None:
        self._on_lost: Callable[[Connection, StoreUnavailable], None] | None = lost
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader()
        self._copies: Copies | None = None
        self._wait = b""
        self._due: deque[Call | int] = deque()
        """Where replicas are waited for: whose answer comes next; a number is that of the calls
        that the next WAIT is for."""
        self.sent: deque[Call] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def greet(self, greeting: list[bytes]) -> list[Any]:
        """What was answered. Raises `StoreUnavailable`."""
        loop = asyncio.get_running_loop()
        calls = [Call(words, loop.create_future(), loop.time()) for words in greeting]
        if calls:
            self.send(calls)
        answers = []
        for call in calls:
            answer = await call.answer
            if isinstance(answer, hiredis.ReplyError):
                raise by_their_word(answer)
            answers.append(answer)
        return answers

    def wait_for(self, copies: Copies) -> None:
        """From now on."""
        self._copies = copies
        self._wait = packed(("WAIT", copies.replicas, copies.timeout_ms))

    def send(self, calls: list[Call]) -> None:
        self.sent.extend(calls)
        data = b"".join([call.packed for call in calls])
        if self._copies is not None:
            self._due.extend(calls)
            self._due.append(len(calls))
            data += self._wait
        if self._transport is not None:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                if self._copies is not None:
                    self._hold(answer, self._copies.replicas)
                    continue
                call = self.sent.popleft()
                if call.skip:
                    call.skip -= 1
                    self.sent.appendleft(call)
                elif not call.answer.done():
                    call.answer.set_result(answer)
        except (hiredis.ProtocolError, IndexError):  # no RESP, or more answers than questions
            self._end(unavailable("protocol"))

    def _hold(self, answer: object, replicas: int) -> None:
        due = self._due.popleft()
        if isinstance(due, Call):
            if due.skip:
                due.skip -= 1
                self._due.appendleft(due)
            else:
                due.held = answer
            return
        enough = isinstance(answer, int) and answer >= replicas
        for _ in range(due):
            call = self.sent.popleft()
            if not enough and not isinstance(call.held, hiredis.ReplyError):
                call.fail(unavailable("copies"))
            elif not call.answer.done():
                call.answer.set_result(call.held)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(unreachable(exc or ConnectionResetError()))

    def owes_since(self, moment: float) -> bool:
        """It was asked something before that moment which it has not answered."""
        return bool(self.sent) and self.sent[0].asked_at < moment

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


async def open_connection(connection: Connection, target: Target) -> None:
    loop = asyncio.get_running_loop()
    if target.path:
        await loop.create_unix_connection(lambda: connection, target.path, ssl=target.tls)
    else:
        await loop.create_connection(lambda: connection, target.host, target.port, ssl=target.tls)

"""One connection to the server, shared by all calls: what one tick of the loop asks is one write.

redis-py takes a connection from its pool for each call and a write, a read and a timer of its own;
here a call costs a place in a queue. Answers come in the order of the questions. So a call that was
given up keeps its place, and its answer, when it comes, is thrown away.

A connection is made at the first call and again after it was lost; calls wait for it as long as
their own deadline allows. Nothing is asked twice, but for a script that the server has forgotten.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import hiredis

from gateway.errors import StoreUnavailable
from gateway.store.redis.connection import (
    Call,
    Connection,
    Copies,
    Target,
    open_connection,
    packed,
)
from gateway.store.redis.faults import by_their_word, unavailable, unreachable
from gateway.store.redis.scripts import Script
from gateway.store.redis.words import Raw, Word

CONNECT_SECONDS = 2.0
"""For the connection, TLS and the password. A call waits no longer than its own deadline."""

SILENT_SECONDS = 2.0
"""A server that has owed an answer for so long is not behind this connection any more: a cable
that was cut ends no connection by itself."""

CONNECT_TO_MASTER_SECONDS = 0.5
"""For each that may be one: who was one may be gone, and another has taken over."""

MOST_PENDING = 20_000
"""More than this waits only for a server that does not keep up."""

_JUST_A_MOMENT_SECONDS = 0.001

_ASKING = packed(("ASKING",))
_ROLE = packed(("ROLE",))

_COPIES_PART = 0.8
"""Of a call's time its copies may take: whoever waits hears then that they are missing."""


class Wire:
    """Runs scripts. Raises `StoreUnavailable` and nothing else."""

    def __init__(
        self,
        target: Target,
        *,
        timeout_seconds: float,
        acks: int = 0,
        masters: Callable[[], AsyncIterator[Target]] | None = None,
    ) -> None:
        """`timeout_seconds`: from the call to its answer, whatever happens in between.

        `acks`: how many replicas must have what was written before the call is answered. `masters`
        tells where to connect, in the place of `target`, likeliest first: only who is one is taken.
        """
        self._target = target
        self._masters = masters
        self._timeout = timeout_seconds
        self._copies = Copies(acks, max(1, int(timeout_seconds * 1000 * _COPIES_PART)))
        self.connected_to: Target | None = None
        """Now, or last."""
        self._unsent: deque[Call] = deque()
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.on_lost: Callable[[StoreUnavailable], object] = lambda _: None
        """Told when a connection breaks that stood."""
        self.on_other: Callable[[], object] = lambda: None
        """Told when another server is the master than before."""

    async def run(
        self,
        script: Script,
        keys: Sequence[str],
        words: Sequence[Word],
        *,
        asking: bool = False,
    ) -> list[Raw]:
        """One round trip; two after the server has lost its scripts.

        `asking`: of a node of a cluster that is just being given the keys' slot.
        """
        answer = await self._ask(("EVALSHA", script.sha, len(keys), *keys, *words), asking)
        if isinstance(answer, hiredis.ReplyError) and str(answer).startswith("NOSCRIPT"):
            answer = await self._ask(("EVAL", script.text, len(keys), *keys, *words), asking)
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

    def lose(self, error: StoreUnavailable) -> None:
        """Somebody knows that what is at the other end is not what we are looking for."""
        self._drop(error)

    def _ask(self, words: tuple[Word, ...], asking: bool = False) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        sent = self._connection.sent if self._connection else ()
        if self._closed or len(self._unsent) + len(sent) >= MOST_PENDING:
            answer.set_exception(unavailable("pool"))
            return answer
        said = packed(words)
        call = (
            Call(_ASKING + said, answer, loop.time(), 1)
            if asking
            else Call(said, answer, loop.time())
        )
        self._unsent.append(call)
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
        try:
            if self._masters is None:
                self._connection = await self._connected(self._target, CONNECT_SECONDS)
            else:
                self._connection = await self._first_master(self._masters())
        except StoreUnavailable as error:
            self._fail(self._unsent, error)
        finally:
            self._connecting = None
        self._flush()

    async def _first_master(self, targets: AsyncIterator[Target]) -> Connection:
        """Raises what the likeliest one has said."""
        said: StoreUnavailable | None = None
        async for target in targets:
            try:
                return await self._connected(target, CONNECT_TO_MASTER_SECONDS)
            except StoreUnavailable as error:
                said = said or error
        raise said or unavailable("no_master")

    async def _connected(self, target: Target, seconds: float) -> Connection:
        connection = Connection(self._lost)
        greeting = target.greeting()
        try:
            async with asyncio.timeout(seconds):
                await open_connection(connection, target)
                if self._masters is None:
                    await connection.greet(greeting)
                else:
                    _demand_master(await connection.greet([*greeting, _ROLE]))
        except BaseException as error:
            connection.abort()
            if isinstance(error, OSError):  # and what took too long
                raise unreachable(error) from error
            raise
        if self._copies.replicas:
            connection.wait_for(self._copies)
        before, self.connected_to = self.connected_to, target
        if before not in (None, target):
            self.on_other()
        return connection

    def _lost(self, connection: Connection, error: StoreUnavailable) -> None:
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
    def _fail(calls: deque[Call], error: StoreUnavailable) -> None:
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
        sent: deque[Call] = self._connection.sent if self._connection else deque()
        overdue = loop.time() - self._timeout
        waiting = self._next_deadline(sent, overdue)
        self._unsent = deque(call for call in self._unsent if not call.answer.done())
        if self._connection is not None and self._connection.owes_since(
            loop.time() - SILENT_SECONDS
        ):
            self._drop(unavailable("timeout"))
            self._flush()
        if waiting is not None:
            self._timer = loop.call_at(max(waiting, loop.time()), self._time_is_up)

    def _next_deadline(self, sent: deque[Call], overdue: float) -> float | None:
        """Ends what is overdue. When to look again, if anything is owed."""
        for calls in (sent, self._unsent):
            for call in calls:
                if call.answer.done():
                    continue
                if call.asked_at > overdue:
                    return call.asked_at + self._timeout
                call.fail(unavailable("timeout"))
        return overdue + 2 * self._timeout if sent else None


def _demand_master(answers: Sequence[Any]) -> None:
    """The last is to ROLE."""
    if answers[-1][0] != b"master":
        raise unavailable("readonly")

"""Notices that the client has left, and cancels the work that was done for it.

An ASGI server tells it only to who asks: so somebody asks, from the moment the body has been read
until the end of the answer is sent. Without this the model goes on thinking for nobody.

The pattern is that of `asyncio.timeout`: the exchange's own task is cancelled, and the cancellation
taken back at the edge of the block, unless somebody else has cancelled it as well.
"""

import asyncio
from types import TracebackType
from typing import Self

from gateway.errors import ClientLeft
from gateway.proxy.asgi import Message, Receive
from gateway.proxy.background import Background


class ClientWatch:
    """`async with` around the work. Raises `ClientLeft` at its end if the client has left."""

    def __init__(self, receive: Receive, background: Background) -> None:
        self._receive = receive
        self._background = background
        self._gone = asyncio.Event()
        self._left = False
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an exchange runs in a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._watching = self._background.start(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if not self._left:
            return
        others_cancelled = self._task.uncancel() > self._cancelling
        if not (others_cancelled and kind is asyncio.CancelledError):
            raise ClientLeft from error

    def stop(self) -> None:
        """The end of the answer is known: from here on nobody can leave too early."""
        if self._watching is not None:
            self._watching.cancel()
        self._gone.set()

    async def departure(self) -> Message:
        """What an inner app receives after the body: the disconnect, when it comes."""
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        self._gone.set()
        self._task.cancel()

"""Stands between a client and a server on a unix socket and does what bad networks do.

It is told what to do at any time; it holds for connections that stand and for those that come.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

_MOST_BYTES = 65_536


@dataclass
class FaultProxy:
    """Passes everything on, unless told otherwise."""

    socket: Path
    server: Path
    delay_s: float = 0.0
    """For each piece of an answer."""
    refusing: bool = False
    """Whoever connects is hung up on."""
    cut_after_bytes: int | None = None
    """The next answer is reset after so many bytes."""
    _cut_off: int = 0
    """Connections before this one are half-open: nothing passes, and they do not end."""
    _accepted: int = 0
    _held_to: int = 0
    """What comes over connections up to this one is kept on its way."""
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def reset_all(self) -> None:
        """Every connection that stands."""
        for writer in list(self._writers):
            writer.transport.abort()

    def cut_off(self) -> None:
        """Nothing passes any more over the connections that stand, nor over new ones."""
        self._cut_off = 2**31

    def join_again(self) -> None:
        """New connections are well; those that were cut off stay so."""
        self._cut_off = self._accepted

    def hold(self) -> None:
        """What is sent over the connections that stand is late, even if its sender hangs up."""
        self._held_to = self._accepted
        self._flowing.clear()

    def let_go(self) -> None:
        self._flowing.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        self._accepted += 1
        number = self._accepted
        self._writers.add(writer)
        there, back = await asyncio.open_unix_connection(str(self.server))
        self._writers.add(back)
        for coroutine in (self._pass(reader, back, number), self._answer(there, writer, number)):
            task = asyncio.create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_MOST_BYTES):
                if number <= self._held_to:
                    await self._flowing.wait()
                if number > self._cut_off:
                    writer.write(data)
        self._end(writer)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_MOST_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.cut_after_bytes is not None:
                    writer.write(data[: self.cut_after_bytes])
                    self.cut_after_bytes = None
                    break
                if number > self._cut_off:
                    writer.write(data)
        self._end(writer)

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()

    async def aclose(self) -> None:
        self.reset_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


@contextlib.asynccontextmanager
async def fault_proxy(url: str) -> AsyncIterator[FaultProxy]:
    """In front of the server at a `unix://` address."""
    server = Path(url.removeprefix("unix://"))
    proxy = FaultProxy(server.with_name("proxy"), server)
    listening = await asyncio.start_unix_server(proxy.accept, str(proxy.socket))
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.aclose()

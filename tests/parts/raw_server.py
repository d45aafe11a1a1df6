"""A scripted HTTP server on a raw socket: it says any bytes, and knows exactly what it was told.

A script is a coroutine function that gets one `Peer` per connection and does as it likes. What the
peer sent and when it closed is recorded as it happens, whatever the script is doing.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

Script = Callable[["Peer"], Awaitable[None]]


class Peer(asyncio.Protocol):
    """One connection, seen from the server."""

    def __init__(self, server: "RawServer") -> None:
        self._server = server
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._read_bytes = 0
        self.received = bytearray()
        self.sent_bytes = 0
        self.closed = asyncio.Event()
        """The other side ended or reset the connection."""
        self.lost = asyncio.Event()
        """Nothing is left of the connection."""
        self.closed_at: float | None = None
        """`time.monotonic` of that moment."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # that of uvloop only looks like one
        self._transport.set_write_buffer_limits(high=1, low=0)  # with a 0, TLS would stay paused
        self._server.greet(self)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._arrived.set()

    def eof_received(self) -> bool:
        self._note_closed()
        return not self._server.speaks_tls  # keep our side open where TCP can: the script decides

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._note_closed()
        self._writable.set()
        self.lost.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _note_closed(self) -> None:
        self.closed_at = self.closed_at or time.monotonic()
        self.closed.set()
        self._arrived.set()

    def stop_reading(self) -> None:
        """Leave what comes in the kernel's buffers, so that the other side's writes get stuck."""
        self._transport.pause_reading()

    async def request(self) -> bytes:
        """The next whole request, head and body. `ConnectionError` if the peer closes before."""
        head = await self._until(lambda data: data.find(b"\r\n\r\n") + 4 or None, at_least=4)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = await self._until(lambda data: length if len(data) >= length else None)
        return head + body

    async def heard(self, words: bytes) -> None:
        """Wait until the peer has sent these, read by the script or not."""
        while words not in self.received:
            if self.closed.is_set():
                raise ConnectionError
            self._arrived.clear()
            await self._arrived.wait()

    async def _until(self, end: Callable[[bytes], int | None], at_least: int = 0) -> bytes:
        while True:
            unread = bytes(self.received[self._read_bytes :])
            cut = end(unread)
            if cut is not None and cut >= at_least:
                self._read_bytes += cut
                return unread[:cut]
            if self.closed.is_set():
                raise ConnectionError
            self._arrived.clear()
            await self._arrived.wait()

    async def say(self, *pieces: bytes) -> None:
        """Write, and wait until the kernel has taken it. `ConnectionError` if the peer is gone.

        Under TLS each piece is a record of its own; all leave in one segment if they fit.
        """
        if self.closed.is_set():
            raise ConnectionError
        self._transport.writelines(pieces)
        await self._writable.wait()
        self.sent_bytes += sum(map(len, pieces))

    def close(self) -> None:
        self._transport.close()

    def reset(self) -> None:
        """Close with RST in place of FIN."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class RawServer:
    """Listens on 127.0.0.1 and runs the script for each connection."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None) -> None:
        self._script = script
        self.speaks_tls = tls is not None
        self._tasks: set[asyncio.Task[None]] = set()
        self._came: asyncio.Queue[Peer] = asyncio.Queue()
        self.peers: list[Peer] = []
        """Every connection, oldest first."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self.speaks_tls else ''}://{self.where}"

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def next_peer(self) -> Peer:
        """The next connection that was not yet asked for."""
        return await self._came.get()

    def greet(self, peer: Peer) -> None:
        self.peers.append(peer)
        self._came.put_nowait(peer)
        task = asyncio.get_running_loop().create_task(self._play(peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, peer: Peer) -> None:
        with contextlib.suppress(ConnectionError):
            await self._script(peer)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self.peers:
            peer._transport.abort()
        for peer in self.peers:
            await peer.lost.wait()


@contextlib.asynccontextmanager
async def raw_server(
    script: Script, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Yields the server; all its connections are gone when the block ends."""
    server = RawServer(script, tls)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Peer(server), "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.stop()
        await listening.wait_closed()


def answering(*answers: bytes) -> Script:
    """Reads a request, says the next answer, and so on; the last one is repeated for ever."""

    async def script(peer: Peer) -> None:
        said = 0
        while True:
            await peer.request()
            await peer.say(answers[min(said, len(answers) - 1)])
            said += 1

    return script


def saying_once(*pieces: bytes) -> Script:
    """Reads a request, says the pieces, and closes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.say(piece)
        peer.close()

    return script


async def silent(peer: Peer) -> None:
    """Accepts, reads, and never says a word."""
    await peer.closed.wait()


def unused_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port

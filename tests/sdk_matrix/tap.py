"""Counts what an SDK really sends: a relay of bytes between it and gauger.

Each attempt of an SDK is a request on the wire, whatever the SDK, or gauger, says of it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 "


@dataclass(slots=True)
class Answered:
    """The head of one answer."""

    status: int
    headers: dict[str, str]

    @property
    def told_s(self) -> float | None:
        """How long to wait, as those SDKs read it that read it best."""
        if "retry-after-ms" in self.headers:
            return float(self.headers["retry-after-ms"]) / 1000
        after = self.headers.get("retry-after")
        return None if after is None else float(after)


@dataclass(slots=True)
class Tap:
    url: str = ""
    requests: int = 0
    answers: list[Answered] = field(default_factory=list)

    def sent(self, data: bytes) -> None:
        """The SDKs send one request at a time on a connection; no prompt here holds such a line."""
        self.requests += data.count(b" HTTP/1.1\r\n")

    def came(self, data: bytes) -> None:
        """gauger writes a head in one piece, and begins a write with it."""
        if data.startswith(HEAD):
            first, *lines = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in lines)
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            self.answers.append(Answered(int(first.split()[1]), headers))


@asynccontextmanager
async def tap(target: str, before: Callable[[], Awaitable[None]]) -> AsyncIterator[Tap]:
    """`target` is `http://HOST:PORT`; so is `Tap.url`.

    The first request waits for `before`: what happens at its very moment, however slow the SDK.
    """
    host, _, port = target.removeprefix("http://").rpartition(":")
    tapped = Tap()
    first = asyncio.Lock()
    relays = set[asyncio.Task[None]]()
    writers: list[asyncio.StreamWriter] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writers.append(there_writer)

        async def there() -> None:
            while data := await reader.read(2**16):
                async with first:
                    if tapped.requests == 0:
                        await before()
                tapped.sent(data)
                there_writer.write(data)
            there_writer.close()

        async def back() -> None:
            while data := await there_reader.read(2**16):
                tapped.came(data)
                writer.write(data)
            writer.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(there(), back())

    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.create_task(relay(reader, writer))
        relays.add(task)
        task.add_done_callback(relays.discard)

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    tapped.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield tapped
    finally:
        listening.close()
        for task in relays:
            task.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await listening.wait_closed()

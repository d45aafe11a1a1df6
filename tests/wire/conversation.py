"""A raw client, the gateway on its real server, and a scripted model API on a raw socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings
from gateway.proxy.upstream.target import UpstreamTarget
from gateway.proxy.wire_limits import WireLimits
from tests.parts.raw_server import RawServer, Script, raw_server
from tests.parts.serving import serving
from tests.proxy.stage import KEY, QUESTION, Stage, stage


class RawClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        try:
            self._writer.write(data)
        except RuntimeError as error:  # uvloop's word for a connection that is gone
            raise ConnectionResetError from error
        await self._writer.drain()

    async def hear(self, end: bytes) -> bytes:
        return await self._reader.readuntil(end)

    async def answer(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """The next whole answer with a content-length."""
        head = await self.hear(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in lines[1:] if line)
        body = await self._reader.readexactly(int(headers[b"content-length"]))
        return int(lines[0].split()[1]), headers, body

    def stop_reading(self) -> None:
        """What is sent to us stays in the kernel's buffers."""
        cast("asyncio.Transport", self._writer.transport).pause_reading()

    async def rest(self) -> bytes:
        """Everything until the connection ends, cleanly or not."""
        heard = b""
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(65536):
                heard += data
        return heard

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@dataclass
class Conversation:
    on: Stage
    model: RawServer
    url: str

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[RawClient]:
        where = urlsplit(self.url)
        made = RawClient(*await asyncio.open_connection(where.hostname, where.port))
        try:
            yield made
        finally:
            await made.close()


@contextlib.asynccontextmanager
async def conversation(
    script: Script, *, upstream_key: str | None = None, limits: WireLimits | None = None
) -> AsyncIterator[Conversation]:
    async with raw_server(script) as model:
        upstream = HttpxUpstream(UpstreamSettings(UpstreamTarget.parse(model.url)))
        on = stage(upstream, upstream_key=upstream_key)  # type: ignore[arg-type]  # any app will do
        async with serving(on.gateway, limits=limits) as url:
            yield Conversation(on, model, url)
        await on.rest()
        await upstream.aclose()
    assert await on.store.open_reservations() == 0


def request(
    body: object = QUESTION,
    *,
    start: bytes = b"POST /v1/chat/completions HTTP/1.1",
    headers: tuple[bytes, ...] = (),
    key: str | None = KEY,
) -> bytes:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [start, b"host: gauger.test", *headers]
    if key is not None:
        lines.append(b"authorization: Bearer " + key.encode())
    if not any(line.startswith((b"content-length", b"transfer-encoding")) for line in headers):
        lines.append(b"content-length: %d" % len(sent))
    return b"\r\n".join(lines) + b"\r\n\r\n" + sent


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)

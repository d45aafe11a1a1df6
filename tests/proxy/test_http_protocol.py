"""The protocol over a transport that only remembers; tests/wire has it on sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from uvicorn.server import ServerState

from gateway.proxy.asgi import Message, Receive, Scope, Send
from gateway.proxy.http_protocol import StrictHttp, strict_http
from gateway.proxy.server import configuration
from gateway.proxy.wire_limits import WireLimits

HEAD = b"POST / HTTP/1.1\r\nHost: gauger.test\r\n"
GET = HEAD.replace(b"POST", b"GET") + b"\r\n"


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 80), "peername": ("192.0.2.1", 40_000)})
        self.said = b""
        self.high_water: int | None = None
        self.reading = True
        self.half_closed = self.closed = self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del low
        self.high_water = high

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.half_closed = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True


class App:
    """Hears what it is given, answers when it is told."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.heard: list[Message] = []
        self.news = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        listening = asyncio.create_task(self._listen(receive))
        await self.may_answer.wait()
        listening.cancel()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def _listen(self, receive: Receive) -> None:
        while not self.heard or self.heard[-1]["type"] != "http.disconnect":
            self.heard.append(await receive())
            self.news.set()

    async def hear(self) -> Message:
        while not self.heard:
            self.news.clear()
            await self.news.wait()
        return self.heard.pop(0)


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def protocol(app: App, wire: Wire) -> AsyncIterator[StrictHttp]:
    kind = strict_http(WireLimits(write_buffer_bytes=12_345))
    made = kind(configuration(app, grace_s=1), ServerState(), {}, asyncio.get_running_loop())
    made.connection_made(wire)
    yield made
    app.may_answer.set()
    await asyncio.gather(*made.tasks)
    made.connection_lost(None)


def test_each_class_has_its_own_limits() -> None:
    assert strict_http(WireLimits(head_s=1)).limits.head_s == 1
    assert StrictHttp.limits == WireLimits()


async def test_the_write_buffer_is_as_small_as_it_was_set(protocol: StrictHttp, wire: Wire) -> None:
    assert protocol.transport is not None
    assert wire.high_water == 12_345


async def test_a_disconnect_is_told_while_more_is_pipelined(protocol: StrictHttp, app: App) -> None:
    protocol.data_received(GET * 3)
    assert (await app.hear())["type"] == "http.request"
    protocol.connection_lost(None)
    assert (await app.hear())["type"] == "http.disconnect"
    assert len(app.scopes) == 1


async def test_what_is_malformed_in_mid_body_is_a_disconnect_for_the_app(
    protocol: StrictHttp, app: App, wire: Wire
) -> None:
    protocol.data_received(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    assert (await app.hear())["body"] == b"hello"
    protocol.data_received(b"x\r\n")
    assert (await app.hear())["type"] == "http.disconnect"
    assert wire.said.startswith(b"HTTP/1.1 400 ")
    app.may_answer.set()
    await asyncio.gather(*protocol.tasks)
    assert wire.said.count(b"HTTP/1.1") == 1


async def test_trailers_never_become_headers(protocol: StrictHttp, app: App) -> None:
    protocol.data_received(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Account-Id: 7\r\n\r\n")
    await app.hear()
    assert [name for name, _ in app.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


async def test_a_body_that_nobody_reads_stops_the_sender(protocol: StrictHttp, wire: Wire) -> None:
    protocol.data_received(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000)
    assert not wire.reading


async def test_an_answer_before_the_end_of_the_body_ends_the_connection(
    protocol: StrictHttp, app: App, wire: Wire
) -> None:
    protocol.data_received(HEAD + b"Content-Length: 10\r\n\r\n12345")
    app.may_answer.set()
    await asyncio.gather(*protocol.tasks)
    assert wire.said.startswith(b"HTTP/1.1 204 ")
    assert wire.half_closed
    assert not wire.closed  # it listens on, for a moment
    protocol.data_received(b"67890" + GET)
    assert len(app.scopes) == 1


async def test_what_is_dropped_after_the_end_is_bounded(protocol: StrictHttp, wire: Wire) -> None:
    protocol.data_received(b"no HTTP\r\n")
    for _ in range(5):
        assert wire.reading
        protocol.data_received(b"x" * 65_536)
    assert not wire.reading


async def test_an_idle_connection_closes_at_shutdown(protocol: StrictHttp, wire: Wire) -> None:
    protocol.shutdown()
    assert wire.closed


async def test_at_shutdown_an_open_answer_is_the_last(
    protocol: StrictHttp, app: App, wire: Wire
) -> None:
    protocol.data_received(GET * 2)
    await app.hear()
    protocol.shutdown()
    assert not wire.closed
    app.may_answer.set()
    await asyncio.gather(*protocol.tasks)
    assert wire.said.count(b"HTTP/1.1 204") == 1
    assert b"connection: close" in wire.said
    assert wire.half_closed

import asyncio
import contextlib
import logging
import socket

import pytest

from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.server import configuration, listen
from gateway.proxy.serving import serving

GET = b"GET / HTTP/1.1\r\nHost: gauger.test\r\n\r\n"
PATIENCE_S = 10.0


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Of uvicorn too, whose logger other tests keep quiet."""
    caplog.set_level(logging.INFO, "uvicorn.error")
    return caplog


class App:
    """Streams: as it is told, or as fast as it can."""

    def __init__(self, *, endless: bool = False) -> None:
        self._endless = endless
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        self.begun.set()
        while self._endless:
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b"last", "more_body": False})

    async def _live(self, receive: Receive, send: Send) -> None:
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})


def connect(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname()[:2])


async def test_a_stream_that_flows_is_finished_before_the_block_ends() -> None:
    app = App()
    listener = listen("127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE_S):
        async with serving(configuration(app, grace_s=5), listener):
            reader, writer = await asyncio.open_connection(sock=connect(listener))
            writer.write(GET)
            await app.begun.wait()
            asyncio.get_running_loop().call_later(0.2, app.may_end.set)
        heard = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert heard.endswith(b"5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n")
    assert b"connection: close" not in heard  # the head had left before the end was decided


async def test_who_does_not_read_cannot_hold_up_the_end() -> None:
    app = App(endless=True)
    listener = listen("127.0.0.1", 0)
    with connect(listener) as client:
        client.setblocking(False)  # noqa: FBT003  # socket's own signature
        async with asyncio.timeout(PATIENCE_S):
            async with serving(configuration(app, grace_s=1), listener):
                await asyncio.get_running_loop().sock_sendall(client, GET)
                await app.begun.wait()
        with contextlib.suppress(ConnectionResetError):
            while await asyncio.get_running_loop().sock_recv(client, 2**20):
                pass


async def test_what_is_cut_ends_at_once_and_is_no_failure_of_the_apps(
    log: pytest.LogCaptureFixture,
) -> None:
    app = App()
    listener = listen("127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE_S):
        async with serving(configuration(app, grace_s=3600), listener) as server:
            reader, writer = await asyncio.open_connection(sock=connect(listener))
            writer.write(GET)
            await app.begun.wait()
            asyncio.get_running_loop().call_later(0.2, server.cut)
        heard = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert heard.endswith(b"first\r\n")
    assert "Exception in ASGI application" not in log.text


async def test_what_outlasts_the_grace_is_no_failure_of_the_apps(
    log: pytest.LogCaptureFixture,
) -> None:
    app = App()
    listener = listen("127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE_S):
        async with serving(configuration(app, grace_s=0), listener):
            reader, writer = await asyncio.open_connection(sock=connect(listener))
            writer.write(GET)
            await app.begun.wait()
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()
    assert "Cancel 1 running task(s)" in log.text
    assert "Exception in ASGI application" not in log.text


async def test_an_app_that_fails_is_still_told(log: pytest.LogCaptureFixture) -> None:
    class Failing(App):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await super().__call__(scope, receive, send)
            raise ZeroDivisionError

    listener = listen("127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE_S):
        async with serving(configuration(Failing(), grace_s=1), listener):
            reader, writer = await asyncio.open_connection(sock=connect(listener))
            writer.write(GET)
            assert b"500" in await reader.readline()
            writer.close()
            await writer.wait_closed()
    assert "Exception in ASGI application" in log.text


async def test_an_app_that_does_not_start_is_told() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": f"{scope['type']} failed"})

    with pytest.raises(RuntimeError, match="did not start"):
        async with serving(configuration(broken, grace_s=1), listen("127.0.0.1", 0)):
            pass


async def test_idle_connections_do_not_hold_up_the_end() -> None:
    app = App()
    app.may_end.set()
    listener = listen("127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE_S):
        async with serving(configuration(app, grace_s=3600), listener):
            reader, writer = await asyncio.open_connection(sock=connect(listener))
            writer.write(GET)
            await reader.readuntil(b"0\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

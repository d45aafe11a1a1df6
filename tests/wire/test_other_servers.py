"""The app under servers that are not ours: what is promised of the app holds there, too.

What is then the server's own to promise is told in gateway/docs/edge.md.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.parts.asgi_servers import SERVERS, asgi_server
from tests.parts.raw_server import Peer, RawServer, raw_server
from tests.proxy.stage import ANSWER, DONE, STREAMED, chunk
from tests.wire.conversation import SSE_HEAD, RawClient, chunked, request
from tests.wire.recording import OK
from tests.wire.rows import AUTH, BODY, LENGTH, POST, get, post, raw

PATIENCE_S = 20.0
FIRST, SECOND = chunk("Hello"), chunk(" moon")


@dataclass
class Running:
    port: int
    process: asyncio.subprocess.Process
    model: RawServer
    go_on: asyncio.Event

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[RawClient]:
        made = RawClient(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield made
        finally:
            await made.close()

    async def ask(self, *said: bytes) -> list[int]:
        """The statuses of the answers, on one connection if it lasts."""
        answers = []
        for data in said:
            async with self.client() as client:
                await client.say(data)
                answers.append((await client.answer())[0])
        return answers


@pytest.fixture(params=[name for name in SERVERS if "h11" not in name])
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    go_on = asyncio.Event()

    async def model_api(peer: Peer) -> None:
        while True:
            if b'"stream"' not in await peer.request():
                await peer.say(OK)
                continue
            await peer.say(SSE_HEAD + chunked(FIRST))
            await go_on.wait()
            await peer.say(chunked(SECOND, DONE, b""))

    async with (
        raw_server(model_api) as model,
        asgi_server(request.param, model.url) as (port, process),
    ):
        yield Running(port, process, model, go_on)


async def test_the_app_answers_streams_refuses_and_notices_who_leaves(running: Running) -> None:
    async with running.client() as client:
        for _ in range(2):
            await client.say(post(LENGTH))
            status, headers, body = await client.answer()
            assert (status, body) == (200, ANSWER)
            assert headers[b"x-request-id"].startswith(b"req_")
    assert running.model.peers[0].received.count(BODY) == 2

    assert await running.ask(
        get().replace(AUTH + b"\r\n", b""),
        get(b"Authorization: Bearer sk-other"),
        get().replace(b"/v1/", b"/v1/%2e%2e/"),
        get().replace(b"/v1/", b"/v1/../"),
        get().replace(b"models", b"files"),
        post(LENGTH, b"Content-Encoding: gzip"),
        raw(POST, b"Content-Length: 1", body=b"{"),
    ) == [401, 400, 400, 400, 404, 400, 400]
    assert len(running.model.peers) == 1

    async with running.client() as client:
        await client.say(request(STREAMED))
        assert FIRST in await client.hear(b"\n\n")
        running.go_on.set()
        rest = await client.hear(b"0\r\n\r\n")
        assert b"moon" in rest
        assert b"[DONE]" in rest
    running.go_on.clear()

    before = len(running.model.peers)
    async with running.client() as client:
        await client.say(request(STREAMED))
        await client.hear(b"\n\n")
        peer = running.model.peers[-1]
    assert len(running.model.peers) <= before + 1
    async with asyncio.timeout(PATIENCE_S):
        await peer.closed.wait()


async def test_a_stream_that_flows_at_sigterm_is_finished(running: Running) -> None:
    async with running.client() as client:
        await client.say(request(STREAMED))
        await client.hear(b"\n\n")
        os.kill(running.process.pid, signal.SIGTERM)
        running.go_on.set()
        assert b"moon" in await client.hear(b"0\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        assert await running.process.wait() in (0, -signal.SIGTERM)  # uvicorn raises it again

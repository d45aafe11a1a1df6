"""An upstream that refuses, hangs, truncates or sends garbage, and the error for each."""

import asyncio
import re

import pytest

from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRedirected,
    UpstreamTimeout,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from gateway.proxy.asgi import Message
from gateway.proxy.upstream.port import UpstreamTimeouts
from tests.contract_upstream.conftest import Connect
from tests.contract_upstream.exchange import PATIENCE_S, Exchange
from tests.parts.raw_server import (
    Peer,
    Script,
    answering,
    raw_server,
    saying_once,
    silent,
    unused_port,
)

SHORT = UpstreamTimeouts(connect_s=0.2, first_byte_s=0.2, idle_s=0.2, pool_s=0.2)


async def failure(exchange: Exchange) -> UpstreamError:
    """The error with which it ends, after the checks that hold for all of them."""
    with pytest.raises(UpstreamError) as caught:
        await exchange.end()
    error = caught.value
    began = bool(exchange.sent)
    assert began == isinstance(error, UpstreamTruncated)
    assert not any(message.get("more_body") is False for message in exchange.sent)
    assert re.search(r"\b[\w.-]+:\d+", str(error)), "names the upstream"
    told = f"{error!r} {error.__cause__!r} {error.__context__!r}"
    assert not re.search(r"secret|v1/|\{\}", told), "and nothing of the request or answer"
    return error


def ask(connect: Connect, url: str, timeouts: UpstreamTimeouts | None = None) -> Exchange:
    return Exchange(
        connect(url, timeouts=timeouts),
        query_string=b"secret-query",
        headers=[(b"x-api-key", b"secret-key")],
        body=b'{"messages":"secret-prompt"}',
    )


async def test_a_refused_connection_is_unreachable(connect: Connect) -> None:
    error = await failure(ask(connect, f"http://127.0.0.1:{unused_port()}"))
    assert type(error) is UpstreamUnreachable
    assert not error.sent


async def test_a_name_that_does_not_resolve_is_unreachable(connect: Connect) -> None:
    error = await failure(ask(connect, "http://upstream.invalid:8000"))
    assert type(error) is UpstreamUnreachable
    assert not error.sent


async def hang_up(peer: Peer) -> None:
    await peer.request()
    peer.close()


async def reset(peer: Peer) -> None:
    await peer.request()
    peer.reset()


@pytest.mark.parametrize(
    "script",
    [
        hang_up,
        reset,
        saying_once(b"HTTP/1.1 200 OK\r\ncontent-le"),
        saying_once(b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["closes", "resets", "closes in the head", "closes after an interim answer"],
)
async def test_a_connection_that_breaks_before_the_head_is_unreachable(
    connect: Connect, script: Script
) -> None:
    async with raw_server(script) as server:
        error = await failure(ask(connect, server.url))
    assert type(error) is UpstreamUnreachable
    assert error.sent
    assert len(server.peers) == 1, "it is not repeated: a model may have begun"


GARBAGE = {
    "not HTTP": b"secret garbage\r\n\r\n",
    "binary": b"\x16\x03\x01\x00\x00secret\r\n\r\n",
    "status 999": b"HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 x\r\ncontent-length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 x\r\ncontent-length: 0\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 x\r\ncontent-length: 0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 x\r\nupgrade: secret\r\nconnection: upgrade\r\n\r\n",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nsecret\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "a length that is no number": b"HTTP/1.1 200 OK\r\ncontent-length: secret\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "two framings": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    b"0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: secret\r\n\r\n",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nx: a\x00secret\r\ncontent-length: 0\r\n\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nx: " + b"secret" * 200_000,
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"x: secret\r\n" * 200_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_before_the_body_is_a_protocol_error(
    connect: Connect, garbage: bytes
) -> None:
    async with raw_server(answering(garbage)) as server:
        error = await failure(ask(connect, server.url))
        (peer,) = server.peers
        async with asyncio.timeout(PATIENCE_S):
            await peer.closed.wait()
    assert type(error) is UpstreamProtocolError
    assert error.sent


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308, 399])
async def test_a_redirect_leads_nobody_around_the_gateway(connect: Connect, status: int) -> None:
    answer = b"HTTP/1.1 %d x\r\nlocation: http://secret/v1/x\r\ncontent-length: 0\r\n\r\n" % status
    async with raw_server(answering(answer)) as server:
        error = await failure(ask(connect, server.url))
        assert len(server.peers) == 1, "nor is it followed"
    assert type(error) is UpstreamRedirected
    assert error.sent
    assert f"status {status}" in str(error)
    assert "--upstream" in str(error)


LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

BROKEN_BODIES = {
    "nothing of a length": (LENGTH,),
    "less than the length": (LENGTH + b"secret",),
    "no chunk": (CHUNKED,),
    "no last chunk": (CHUNKED + b"6\r\nsecret\r\n",),
    "half a chunk": (CHUNKED + b"ff\r\nsecret",),
    "no end after the last chunk": (CHUNKED + b"6\r\nsecret\r\n0\r\n",),
    "a chunk size that is no number": (CHUNKED + b"6\r\nsecret\r\n", b"secret\r\n"),
    "a chunk longer than its size": (CHUNKED + b"1\r\nsecret\r\n",),
}


@pytest.mark.parametrize("said", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
async def test_a_body_that_ends_early_is_truncated(
    connect: Connect, said: tuple[bytes, ...]
) -> None:
    async with raw_server(saying_once(*said)) as server:
        error = await failure(ask(connect, server.url))
    assert type(error) is UpstreamTruncated
    assert error.sent
    assert "(protocol)" in str(error)


@pytest.mark.parametrize("head", [LENGTH, CHUNKED, b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_reset_in_the_body_is_truncated(connect: Connect, head: bytes) -> None:
    got_head = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(head)
        await got_head.wait()
        peer.reset()

    async def on_send(message: Message) -> None:
        del message
        got_head.set()

    async with raw_server(script) as server:
        error = await failure(Exchange(connect(server.url), on_send=on_send))
    assert type(error) is UpstreamTruncated
    assert "(reset)" in str(error)


async def drip_a_head(peer: Peer) -> None:
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await peer.say(b"x: y\r\n")
        await asyncio.sleep(0.05)


async def interim_for_ever(peer: Peer) -> None:
    await peer.request()
    while True:
        await peer.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("script", [silent, drip_a_head, interim_for_ever])
async def test_a_head_that_does_not_come_is_a_timeout(connect: Connect, script: Script) -> None:
    async with raw_server(script) as server:
        error = await failure(ask(connect, server.url, SHORT))
        (peer,) = server.peers
        async with asyncio.timeout(PATIENCE_S):
            await peer.closed.wait()
    assert type(error) is UpstreamTimeout
    assert error.sent


async def test_an_upstream_that_does_not_take_the_body_is_a_timeout(connect: Connect) -> None:
    async def script(peer: Peer) -> None:
        peer.stop_reading()
        await peer.closed.wait()

    async with raw_server(script) as server:
        upstream = connect(server.url, timeouts=SHORT)
        error = await failure(Exchange(upstream, body=bytes(64 * 1024 * 1024)))
    assert type(error) is UpstreamTimeout
    assert error.sent


@pytest.mark.parametrize("head", [LENGTH, LENGTH + b"secret", CHUNKED, CHUNKED + b"5\r\n"])
async def test_a_body_that_stops_is_truncated_with_the_reason(
    connect: Connect, head: bytes
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(head)
        await peer.closed.wait()

    async with raw_server(script) as server:
        error = await failure(ask(connect, server.url, SHORT))
        async with asyncio.timeout(PATIENCE_S):
            await server.peers[0].closed.wait()
    assert type(error) is UpstreamTruncated
    assert "(timeout)" in str(error)


async def test_the_time_our_client_takes_is_not_the_upstreams(connect: Connect) -> None:
    async def dawdle(message: Message) -> None:
        del message
        await asyncio.sleep(0.3)  # longer than every deadline

    async with raw_server(answering(CHUNKED + b"1\r\na\r\n", b"")) as server:
        exchange = Exchange(connect(server.url, timeouts=SHORT), on_send=dawdle)
        await exchange.next_message()
        await exchange.next_message()
        await server.peers[0].say(b"1\r\nb\r\n0\r\n\r\n")
        await exchange.end()
    assert exchange.body == b"ab"


async def test_an_answer_before_the_whole_request_was_taken_is_passed_on(
    connect: Connect,
) -> None:
    """The model API says 413 after the head, lets the rest arrive, and closes."""

    async def script(peer: Peer) -> None:
        await peer.say(b"HTTP/1.1 413 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await peer.request()
        peer.close()

    async with raw_server(script) as server:
        exchange = await Exchange(connect(server.url), body=bytes(1024 * 1024)).end()
    assert exchange.status == 413


async def test_an_error_of_send_is_not_taken_for_the_upstreams(connect: Connect) -> None:
    async def broken(message: Message) -> None:
        del message
        raise ConnectionResetError("our own client")

    async with raw_server(answering(LENGTH)) as server:
        exchange = Exchange(connect(server.url), on_send=broken)
        with pytest.raises(ConnectionResetError, match="our own client"):
            await exchange.end()
        async with asyncio.timeout(PATIENCE_S):
            await server.peers[0].closed.wait()

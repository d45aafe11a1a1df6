"""How an answer is passed on: as it is, and as it comes."""

import asyncio
import gzip

import pytest

from gateway.proxy.asgi import Message, Receive, Scope, Send
from tests.contract_upstream.conftest import Connect
from tests.contract_upstream.exchange import PATIENCE_S, Exchange
from tests.parts.raw_server import Peer, answering, raw_server, saying_once
from tests.parts.serving import serving


async def test_status_and_headers_come_as_they_are(connect: Connect) -> None:
    answer = (
        b"HTTP/1.1 429 Slow Down\r\n"
        b"Set-Cookie: a=1\r\n"
        b"Retry-After: 17\r\n"
        b"set-cookie: b=2\r\n"
        b"X-Latin: \xfcber\r\n"
        b"Content-Length: 2\r\n"
        b"\r\nno"
    )
    async with raw_server(answering(answer)) as server:
        exchange = await Exchange(connect(server.url)).end()
    assert exchange.status == 429
    assert exchange.headers == [
        (b"set-cookie", b"a=1"),
        (b"retry-after", b"17"),
        (b"set-cookie", b"b=2"),
        (b"x-latin", b"\xfcber"),
        (b"content-length", b"2"),
    ]
    assert exchange.body == b"no"
    assert exchange.ended_well


async def test_fields_of_the_hop_are_not_passed_on(connect: Connect) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n"
        b"Transfer-Encoding: chunked\r\nTrailer: x-sum\r\nUpgrade: h2c\r\nProxy-Authenticate: x\r\n"
        b"X-Kept: 1\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n"
    )
    async with raw_server(answering(answer)) as server:
        exchange = await Exchange(connect(server.url)).end()
    assert exchange.headers == [(b"x-kept", b"1")]
    assert exchange.body == b"ok"


async def test_cookies_are_passed_on_and_not_kept(connect: Connect) -> None:
    answer = b"HTTP/1.1 200 OK\r\nset-cookie: s=1\r\ncontent-length: 0\r\n\r\n"
    async with raw_server(answering(answer)) as server:
        upstream = connect(server.url)
        await Exchange(upstream).end()
        await Exchange(upstream).end()
    assert b"cookie" not in b"".join(bytes(peer.received) for peer in server.peers)


async def test_compressed_bytes_stay_compressed(connect: Connect) -> None:
    packed = gzip.compress(b"hello" * 100)
    answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(
        packed
    )
    async with raw_server(answering(answer + packed)) as server:
        exchange = await Exchange(connect(server.url)).end()
    assert exchange.body == packed
    assert (b"content-encoding", b"gzip") in exchange.headers


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
    ],
)
async def test_an_answer_without_a_body_ends_at_its_head(
    connect: Connect, method: str, head: bytes
) -> None:
    async with raw_server(answering(head)) as server:
        upstream = connect(server.url)
        for _ in range(2):
            exchange = await Exchange(upstream, method=method, body=b"").end()
            assert exchange.ended_well
            assert exchange.body == b""
    assert len(server.peers) == 1


async def test_interim_answers_are_skipped(connect: Connect) -> None:
    answer = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    )
    async with raw_server(answering(answer)) as server:
        exchange = await Exchange(connect(server.url)).end()
    assert (exchange.status, exchange.body) == (200, b"ok")
    assert exchange.headers == [(b"content-length", b"2")]


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
async def test_an_answer_may_be_framed_by_its_close(connect: Connect, version: bytes) -> None:
    async with raw_server(saying_once(version + b" 200 OK\r\n\r\n", b"all", b" of it")) as server:
        exchange = await Exchange(connect(server.url)).end()
    assert exchange.body == b"all of it"
    assert exchange.ended_well


@pytest.mark.parametrize("status", [200, 201, 299, 402, 429, 500, 529, 599])
async def test_every_real_status_passes(connect: Connect, status: int) -> None:
    answer = b"HTTP/1.1 %d\r\ncontent-length: 0\r\n\r\n" % status
    async with raw_server(answering(answer)) as server:
        assert (await Exchange(connect(server.url)).end()).status == status


async def test_a_head_of_fifty_kilobytes_passes(connect: Connect) -> None:
    head = b"".join(b"x-%d: %s\r\n" % (n, b"v" * 1000) for n in range(50))
    answer = b"HTTP/1.1 200 OK\r\n" + head + b"content-length: 0\r\n\r\n"
    async with raw_server(answering(answer)) as server:
        assert len((await Exchange(connect(server.url)).end()).headers) == 51


async def test_a_head_that_drips_byte_by_byte_is_read(connect: Connect) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok":
            await peer.say(bytes([byte]))
            await asyncio.sleep(0)

    async with raw_server(script) as server:
        assert (await Exchange(connect(server.url)).end()).body == b"ok"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def plain(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize(
    ("head", "frame", "end"),
    [
        (b"transfer-encoding: chunked\r\n", chunk, b"0\r\n\r\n"),
        (b"content-length: 600\r\n", plain, b""),
        (b"connection: close\r\n", plain, b""),
    ],
)
async def test_each_event_is_passed_on_before_the_next_is_sent(
    connect: Connect, head: bytes, frame: type[bytes], end: bytes
) -> None:
    """In lock-step: the server says event k+1 only when the client has event k."""
    events = [b"data: {%02d}\n\n" % n for n in range(50)]
    seen: asyncio.Queue[Message] = asyncio.Queue()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + head + b"\r\n")
        await seen.get()  # the head is not held back for the first event either
        for event in events:
            await peer.say(frame(event))
            await seen.get()
        await peer.say(end)
        peer.close()

    async with raw_server(script) as server:
        exchange = await Exchange(connect(server.url), on_send=seen.put).end()
    assert exchange.pieces == events
    assert exchange.ended_well


async def test_an_asgi_servers_stream_is_passed_on_event_by_event(connect: Connect) -> None:
    events = [b"data: {%d}\n\n" % n for n in range(20)]
    seen: asyncio.Queue[Message] = asyncio.Queue()

    async def model(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        await receive()
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for event in events:
            await send({"type": "http.response.body", "body": event, "more_body": True})
            async with asyncio.timeout(PATIENCE_S):
                while (await seen.get())["type"] != "http.response.body":
                    pass
        await send({"type": "http.response.body"})

    async with serving(model) as url:
        upstream = connect(url)
        exchange = await Exchange(upstream, on_send=seen.put).end()
        await upstream.aclose()
    assert exchange.pieces == events
    assert exchange.headers == [(b"content-type", b"text/event-stream")]


async def test_a_big_answer_arrives_whole_in_pieces(connect: Connect) -> None:
    body = bytes(range(256)) * 64 * 1024  # 16 MiB
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    async with raw_server(answering(head + body)) as server:
        exchange = await Exchange(connect(server.url)).end()
    assert exchange.body == body
    assert max(map(len, exchange.pieces)) <= 1024 * 1024


async def test_a_client_that_does_not_read_stops_the_upstream(connect: Connect) -> None:
    """Else 256 MiB would pile up here; what the kernels hold between us is some 10."""
    total, step = 256 * 1024 * 1024, bytes(1024 * 1024)
    stuck = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while True:
            saying = asyncio.ensure_future(peer.say(step))  # noqa: TID251  # awaited in this turn
            if not (await asyncio.wait({saying}, timeout=0.3))[0]:
                stuck.set()
            await saying

    async with raw_server(script) as server:

        async def hold_the_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                await stuck.wait()
                raise RuntimeError

        exchange = Exchange(connect(server.url), on_send=hold_the_body)
        with pytest.raises(RuntimeError):
            await exchange.end()
        (peer,) = server.peers
        async with asyncio.timeout(PATIENCE_S):
            await peer.closed.wait()
    assert peer.sent_bytes < 64 * 1024 * 1024

"""Connections are reused, never shared between two answers, and never beyond their number."""

import asyncio

import pytest

from gateway.errors import UpstreamTimeout, UpstreamUnreachable
from gateway.proxy.upstream.port import UpstreamTimeouts
from tests.contract_upstream.conftest import Connect
from tests.contract_upstream.exchange import PATIENCE_S, Exchange
from tests.parts.raw_server import Peer, Script, answering, raw_server, saying_once

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED_OK = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
EVIL = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


@pytest.mark.parametrize("answer", [OK, CHUNKED_OK])
async def test_exchanges_in_turn_use_one_connection(connect: Connect, answer: bytes) -> None:
    async with raw_server(answering(answer)) as server:
        upstream = connect(server.url)
        for _ in range(5):
            assert (await Exchange(upstream).end()).body == b"ok"
    assert len(server.peers) == 1


async def test_exchanges_at_once_use_one_each_and_keep_them(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        upstream = connect(server.url)
        for _ in range(3):
            exchanges = [Exchange(upstream) for _ in range(8)]
            for exchange in exchanges:
                await exchange.end()
    assert len(server.peers) == 8


@pytest.mark.parametrize(
    "script",
    [
        saying_once(OK),
        saying_once(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"),
        saying_once(b"HTTP/1.0 200 OK\r\n\r\nok"),
    ],
    ids=["without a word", "as announced", "as HTTP/1.0 does"],
)
async def test_a_connection_that_the_peer_closed_meanwhile_is_replaced(
    connect: Connect, script: Script
) -> None:
    """Nothing was sent on it yet, so nothing is repeated: the server sees each request once."""
    async with raw_server(script) as server:
        upstream = connect(server.url)
        for _ in range(3):
            assert (await Exchange(upstream).end()).body == b"ok"
    assert len(server.peers) == 3
    assert all(peer.received.count(b"POST") == 1 for peer in server.peers)


async def test_a_request_whose_connection_breaks_under_it_is_not_repeated(
    connect: Connect,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        await peer.request()
        peer.close()

    async with raw_server(script) as server:
        upstream = connect(server.url)
        await Exchange(upstream).end()
        with pytest.raises(UpstreamUnreachable) as caught:
            await Exchange(upstream).end()
    assert caught.value.sent
    assert len(server.peers) == 1


async def test_an_idle_connection_is_closed_in_time(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        upstream = connect(server.url, keep_alive_s=0.0)
        await Exchange(upstream).end()
        await Exchange(upstream).end()
        async with asyncio.timeout(PATIENCE_S):
            await server.peers[0].closed.wait()
    assert len(server.peers) == 2


@pytest.mark.parametrize(
    "answer",
    [
        OK + EVIL,
        CHUNKED_OK + EVIL,
        OK + b"\r\n",
        OK + b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL,
        OK.replace(b": 2", b": 65497") + b"k" * 65495 + EVIL,  # ends with a read of 64 KiB
        OK.replace(b": 2", b": 65000") + b"k" * 64998 + EVIL * 20_000,
    ],
    ids=["answer", "after chunks", "line", "half", "no body", "beyond one read", "flood"],
)
async def test_bytes_after_an_answer_are_never_the_next_ones_answer(
    connect: Connect, answer: bytes
) -> None:
    """Else one customer would read what was meant for nobody, or for another one."""
    async with raw_server(answering(answer)) as server:
        upstream = connect(server.url)
        first = await Exchange(upstream).end()
        assert first.ended_well
        for _ in range(2):
            again = await Exchange(upstream).end()
            assert again.sent == first.sent
        async with asyncio.timeout(PATIENCE_S):
            await server.peers[0].closed.wait()
    assert len(server.peers) == 3


async def test_an_answer_that_nobody_asked_for_is_not_used(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        upstream = connect(server.url)
        await Exchange(upstream).end()
        await server.peers[0].say(EVIL)
        assert (await Exchange(upstream).end()).body == b"ok"
    assert len(server.peers) == 2


async def test_with_all_connections_in_use_an_exchange_waits_its_turn(connect: Connect) -> None:
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await release.wait()
            await peer.say(OK)

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=2)
        exchanges = [Exchange(upstream) for _ in range(6)]
        await server.next_peer()
        await server.next_peer()
        release.set()
        for exchange in exchanges:
            assert (await exchange.end()).body == b"ok"
    assert len(server.peers) == 2


async def test_an_exchange_that_waits_too_long_for_its_turn_was_not_sent(
    connect: Connect,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.closed.wait()

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=1, timeouts=UpstreamTimeouts(pool_s=0.1))
        holder = Exchange(upstream)
        await server.next_peer()
        with pytest.raises(UpstreamTimeout) as caught:
            await Exchange(upstream).end()
        await holder.cancel()
    assert not caught.value.sent
    assert server.where in str(caught.value)
    assert len(server.peers) == 1


async def test_a_slow_client_holds_no_connection_once_the_answer_is_read(
    connect: Connect,
) -> None:
    async with raw_server(answering(OK)) as server:
        upstream = connect(server.url, max_connections=1)
        never = asyncio.Event()

        async def hold_the_end(message: dict[str, object]) -> None:
            if message.get("more_body") is False:
                await never.wait()

        slow = Exchange(upstream, on_send=hold_the_end)  # type: ignore[arg-type]  # a narrower dict
        for _ in range(3):
            await slow.next_message()
        assert (await Exchange(upstream).end()).body == b"ok"
        await slow.cancel()


async def test_closing_closes_the_idle_at_once_and_the_busy_at_their_end(
    connect: Connect,
) -> None:
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            if b" /slow " in request:
                await release.wait()
            await peer.say(OK)

    async with raw_server(script) as server:
        upstream = connect(server.url)
        busy, quick = Exchange(upstream, raw_path=b"/slow"), Exchange(upstream)
        await quick.end()
        await upstream.aclose()
        idle_peer, busy_peer = sorted(server.peers, key=lambda peer: b"/slow" in peer.received)
        async with asyncio.timeout(PATIENCE_S):
            await idle_peer.closed.wait()
        assert not busy_peer.closed.is_set()
        release.set()
        assert (await busy.end()).body == b"ok"
        async with asyncio.timeout(PATIENCE_S):
            await busy_peer.closed.wait()

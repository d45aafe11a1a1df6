"""The client leaves: in any phase the upstream connection is closed and its slot is free again."""

import asyncio
import random
import socket

import pytest

from gateway.errors import UpstreamTruncated
from gateway.proxy.asgi import Message
from gateway.proxy.upstream.port import Upstream, UpstreamTimeouts
from tests.contract_upstream.conftest import Connect
from tests.contract_upstream.exchange import PATIENCE_S, Exchange
from tests.parts.raw_server import Peer, RawServer, raw_server

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PROMPT_S = 1.0

once_or_twice = pytest.mark.parametrize("times", [1, 2, 3])
"""A second cancellation meets the clean-up of the first."""


async def well_behaved_after_the_first(peer: Peer, first: bytes | None) -> None:
    """Stalls after saying `first` (None: says nothing) on `/stall`, answers on any other path."""
    while True:
        request = await peer.request()
        if b" /stall " not in request:
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            continue
        if first is not None:
            await peer.say(first)
        await peer.closed.wait()


async def closed_promptly(peer: Peer) -> None:
    async with asyncio.timeout(PROMPT_S):
        await peer.closed.wait()


async def still_usable(upstream: Upstream) -> None:
    """With one slot: it would wait for ever if that had leaked."""
    assert (await Exchange(upstream, raw_path=b"/ok").end()).body == b"ok"


@once_or_twice
@pytest.mark.parametrize(
    ("said", "messages_seen"),
    [(None, 0), (HEAD, 1), (HEAD + b"1\r\na\r\n", 2)],
    ids=["before the head", "before the first event", "mid-stream"],
)
@pytest.mark.parametrize("reused", [False, True])
async def test_leaving_closes_the_connection(
    connect: Connect, said: bytes | None, messages_seen: int, times: int, *, reused: bool
) -> None:
    async def script(peer: Peer) -> None:
        await well_behaved_after_the_first(peer, said)

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=1)
        if reused:
            await still_usable(upstream)
        exchange = Exchange(upstream, raw_path=b"/stall")
        peer = await server.next_peer()
        for _ in range(messages_seen):
            await exchange.next_message()
        await peer.heard(b"/stall")
        await exchange.cancel(times=times)
        assert exchange.task.cancelled()
        await closed_promptly(peer)
        await still_usable(upstream)
    assert len(exchange.sent) == messages_seen


@once_or_twice
async def test_leaving_while_our_client_does_not_read_closes_the_connection(
    connect: Connect, times: int
) -> None:
    async def script(peer: Peer) -> None:
        await well_behaved_after_the_first(peer, HEAD + b"1\r\na\r\n")

    async def stuck(message: Message) -> None:
        if message.get("body") == b"a":
            await asyncio.Event().wait()

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=1)
        exchange = Exchange(upstream, raw_path=b"/stall", on_send=stuck)
        await exchange.next_message()
        await exchange.next_message()
        await exchange.cancel(times=times)
        assert exchange.task.cancelled()
        await closed_promptly(server.peers[0])
        await still_usable(upstream)


@once_or_twice
async def test_leaving_while_the_request_is_being_sent_closes_the_connection(
    connect: Connect, times: int
) -> None:
    async def script(peer: Peer) -> None:
        if len(server.peers) > 1:
            await well_behaved_after_the_first(peer, None)
        arriving.set()
        peer.stop_reading()
        await released.wait()
        peer._transport.resume_reading()
        await peer.closed.wait()

    arriving, released = asyncio.Event(), asyncio.Event()
    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=1)
        exchange = Exchange(upstream, body=bytes(64 * 1024 * 1024))
        await arriving.wait()
        await exchange.cancel(times=times)
        assert exchange.task.cancelled()
        released.set()
        await closed_promptly(server.peers[0])
        assert len(server.peers[0].received) < 64 * 1024 * 1024
        await still_usable(upstream)


@once_or_twice
async def test_leaving_in_the_tls_handshake_closes_the_connection(
    connect: Connect, times: int
) -> None:
    async def script(peer: Peer) -> None:
        await peer.closed.wait()

    async with raw_server(script) as server:
        upstream = connect(f"https://{server.where}", max_connections=1)
        for _ in range(2):  # the second shows that the slot of the first is free
            exchange = Exchange(upstream)
            peer = await server.next_peer()
            await peer.heard(b"\x16\x03")  # the record type of a handshake
            await exchange.cancel(times=times)
            assert exchange.task.cancelled()
            await closed_promptly(peer)


@once_or_twice
async def test_leaving_while_connecting_frees_the_slot(connect: Connect, times: int) -> None:
    """A full backlog leaves the connection hanging in TCP's own handshake."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        upstream = connect(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            max_connections=1,
            timeouts=UpstreamTimeouts(connect_s=PATIENCE_S, pool_s=0.1),
        )
        for _ in range(2):  # a slot that had leaked would end the second with UpstreamTimeout
            exchange = Exchange(upstream)
            done, _ = await asyncio.wait({exchange.task}, timeout=0.2)
            assert not done
            await exchange.cancel(times=times)
            assert exchange.task.cancelled()


@once_or_twice
async def test_leaving_the_queue_for_a_connection_disturbs_nobody(
    connect: Connect, times: int
) -> None:
    release = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await release.wait()
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=1)
        holder = Exchange(upstream)
        await server.next_peer()
        leaving, staying = Exchange(upstream), Exchange(upstream)
        await asyncio.sleep(0)
        await leaving.cancel(times=times)
        release.set()
        assert (await holder.end()).body == b"ok"
        assert (await staying.end()).body == b"ok"
        await still_usable(upstream)
    assert len(server.peers) == 1


async def test_leaving_the_queue_as_the_turn_comes_loses_no_slot(connect: Connect) -> None:
    """At every distance of the cancellation from the moment in which the slot is handed on."""

    async def script(peer: Peer) -> None:
        await well_behaved_after_the_first(peer, None)

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=1)
        for turns in range(40):
            holder, waiter = Exchange(upstream, raw_path=b"/ok"), Exchange(upstream)
            await holder.came.get()
            for _ in range(turns):
                await asyncio.sleep(0)
            waiter.task.cancel()
            await holder.end()
            await asyncio.gather(waiter.task, return_exceptions=True)
            await still_usable(upstream)


async def test_nothing_is_left_of_two_hundred_cancellations_at_random(connect: Connect) -> None:
    dice = random.Random(20260101)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(HEAD)
            for _ in range(3):
                await asyncio.sleep(0)
                await peer.say(b"1\r\na\r\n")
            await peer.say(b"0\r\n\r\n")

    async def leave_at_random(upstream: Upstream) -> None:
        exchange = Exchange(upstream)
        for _ in range(dice.randrange(40)):
            await asyncio.sleep(0)
        await exchange.cancel(times=dice.randrange(1, 4))

    async with raw_server(script) as server:
        upstream = connect(server.url, max_connections=3)
        for _ in range(40):
            await asyncio.gather(*(leave_at_random(upstream) for _ in range(5)))
        after = [Exchange(upstream) for _ in range(3)]
        assert [(await exchange.end()).body for exchange in after] == [b"aaa"] * 3
        assert await open_peers(server, at_most=3) <= 3
        await upstream.aclose()
        assert await open_peers(server, at_most=0) == 0


async def open_peers(server: RawServer, *, at_most: int) -> int:
    """How many connections are open, once they are as few as expected or patience is lost."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        still_open = sum(not peer.closed.is_set() for peer in server.peers)
        if still_open <= at_most or asyncio.get_running_loop().time() > deadline:
            return still_open
        await asyncio.sleep(0.01)


async def test_a_deadline_that_passes_leaves_no_connection_either(connect: Connect) -> None:
    async def script(peer: Peer) -> None:
        await well_behaved_after_the_first(peer, HEAD)

    async with raw_server(script) as server:
        upstream = connect(
            server.url, max_connections=1, timeouts=UpstreamTimeouts(idle_s=0.05, pool_s=1.0)
        )
        for _ in range(3):
            with pytest.raises(UpstreamTruncated):
                await Exchange(upstream, raw_path=b"/stall").end()
            await still_usable(upstream)
        await upstream.aclose()
        assert await open_peers(server, at_most=0) == 0

"""How an exchange ends, as bytes on real sockets."""

import asyncio

from gateway.decision.finished import Ending
from tests.parts.raw_server import Peer, saying_once
from tests.proxy.stage import DONE, STREAMED, USAGE_CHUNK, chunk
from tests.wire.conversation import SSE_HEAD, chunked, conversation, request

FIRST = chunk("Hello")
SECOND = chunk(" moon")


async def test_a_stream_passes_event_by_event() -> None:
    heard_first = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(SSE_HEAD + chunked(FIRST))
        await heard_first.wait()
        await peer.say(chunked(SECOND, USAGE_CHUNK, DONE, b""))

    async with conversation(script) as talk, talk.client() as client:
        await client.say(request(STREAMED))
        head = await client.hear(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await client.hear(b"\n\n\r\n") == chunked(FIRST)
        heard_first.set()
        rest = await client.hear(b"0\r\n\r\n")
        assert b"moon" in rest
        assert b"[DONE]" in rest
        assert b"prompt_tokens" not in rest


async def test_a_stream_reset_by_the_upstream_is_no_clean_end() -> None:
    heard_first = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(SSE_HEAD + chunked(FIRST))
        await heard_first.wait()
        peer.reset()

    async with conversation(script) as talk, talk.client() as client:
        await client.say(request(STREAMED))
        await client.hear(b"\n\n\r\n")
        heard_first.set()
        rest = await client.rest()
        assert b'"code":"upstream_unreachable"' in rest
        assert not rest.endswith(b"0\r\n\r\n")
        await talk.on.rest()
        assert talk.on.finished.ending is Ending.UPSTREAM_TRUNCATED


async def test_a_plain_answer_cut_short_is_no_clean_end() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    async with conversation(saying_once(head + b'{"id": ')) as talk, talk.client() as client:
        await client.say(request())
        heard_head = await client.hear(b"\r\n\r\n")
        assert b"content-length: 100" in heard_head
        assert await client.rest() == b'{"id": '


async def test_a_plain_chunked_answer_cut_short_is_no_clean_end() -> None:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    cut = saying_once(head + chunked(b'{"id": '))
    async with conversation(cut) as talk, talk.client() as client:
        await client.say(request())
        assert not (await client.rest()).endswith(b"0\r\n\r\n")


async def test_a_client_that_leaves_before_the_head_frees_the_model() -> None:
    async def thinking(peer: Peer) -> None:
        await peer.request()
        await peer.closed.wait()

    async with conversation(thinking) as talk:
        async with talk.client() as client:
            await client.say(request(STREAMED))
            peer = await talk.model.next_peer()
            await talk.on.store.asked.wait()
        await peer.closed.wait()


async def test_a_client_that_leaves_before_the_first_event_frees_the_model() -> None:
    async def hesitating(peer: Peer) -> None:
        await peer.request()
        await peer.say(SSE_HEAD)
        await peer.closed.wait()

    async with conversation(hesitating) as talk:
        async with talk.client() as client:
            await client.say(request(STREAMED))
            await client.hear(b"\r\n\r\n")
            peer = await talk.model.next_peer()
        await peer.closed.wait()


async def test_a_client_that_leaves_in_mid_stream_frees_the_model() -> None:
    async def talking(peer: Peer) -> None:
        await peer.request()
        await peer.say(SSE_HEAD + chunked(FIRST))
        await peer.closed.wait()

    async with conversation(talking) as talk:
        async with talk.client() as client:
            await client.say(request(STREAMED))
            await client.hear(b"\n\n\r\n")
            peer = await talk.model.next_peer()
        await peer.closed.wait()
        await talk.on.rest()
        assert talk.on.finished.ending is Ending.CLIENT_LEFT

"""Several requests on one connection: in order, one at a time, and not without end."""

import asyncio

from gateway.proxy.wire_limits import WireLimits
from tests.parts.raw_server import Peer
from tests.proxy.stage import STREAMED
from tests.wire.conversation import SSE_HEAD, RawClient, conversation, request
from tests.wire.recording import OK, Recorder, statuses
from tests.wire.rows import BODY, GET, LENGTH, PLAIN_CHUNKS, chunks, get, post, raw

PATIENCE_S = 10.0


def numbered(number: int) -> bytes:
    return raw(GET.replace(b"models", b"models?n=%d" % number))


async def answers(client: RawClient, count: int) -> list[int]:
    async with asyncio.timeout(PATIENCE_S):
        return [(await client.answer())[0] for _ in range(count)]


async def test_what_is_pipelined_is_answered_in_order() -> None:
    model = Recorder()
    async with conversation(model.script) as talk, talk.client() as client:
        await client.say(b"".join(numbered(n) for n in range(20)))
        assert await answers(client, 20) == [200] * 20
        assert model.targets == [b"/v1/models?n=%d" % n for n in range(20)]


async def test_bodies_of_both_framings_can_be_pipelined() -> None:
    model = Recorder()
    async with conversation(model.script) as talk, talk.client() as client:
        await client.say(post(LENGTH) + chunks(PLAIN_CHUNKS) + get() + post(LENGTH))
        assert await answers(client, 4) == [200] * 4
        assert model.bodies == [BODY, BODY, b"", BODY]


async def test_cut_anywhere_it_is_the_same_two_requests() -> None:
    whole = chunks(PLAIN_CHUNKS) + post(LENGTH)
    model = Recorder()
    async with conversation(model.script) as talk, talk.client() as client:
        for cut in range(1, len(whole)):
            await client.say(whole[:cut])
            await asyncio.sleep(0)
            await client.say(whole[cut:])
            assert await answers(client, 2) == [200, 200]
        assert model.bodies == [BODY] * 2 * (len(whole) - 1)


async def test_one_request_is_open_at_a_time() -> None:
    may_answer = asyncio.Event()
    heard: list[bytes] = []

    async def slow(peer: Peer) -> None:
        while True:
            heard.append(await peer.request())
            await may_answer.wait()
            await peer.say(OK)

    async with conversation(slow) as talk, talk.client() as client:
        await client.say(numbered(0) + numbered(1))
        await (await talk.model.next_peer()).heard(b"n=0")
        assert len(talk.on.told.begun) == 1
        may_answer.set()
        assert await answers(client, 2) == [200, 200]
        assert len(heard) == 2


async def test_what_is_malformed_waits_for_its_turn_and_ends_the_connection() -> None:
    model = Recorder()
    async with conversation(model.script) as talk, talk.client() as client:
        await client.say(numbered(0) + get(b"X : a") + numbered(2))
        async with asyncio.timeout(PATIENCE_S):
            assert statuses(await client.rest()) == [200, 400]
        assert model.targets == [b"/v1/models?n=0"]


async def test_who_asks_for_the_end_gets_it_before_what_he_pipelined() -> None:
    model = Recorder()
    async with conversation(model.script) as talk, talk.client() as client:
        await client.say(get(b"Connection: close") + numbered(1))
        async with asyncio.timeout(PATIENCE_S):
            assert statuses(await client.rest()) == [200]
        assert len(model.requests) == 1


async def test_http_1_0_is_answered_and_closed() -> None:
    async with conversation(Recorder().script) as talk, talk.client() as client:
        await client.say(get(b"Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"))
        async with asyncio.timeout(PATIENCE_S):
            assert statuses(await client.rest()) == [200]


async def test_who_runs_too_far_ahead_loses_the_connection_after_his_answer() -> None:
    may_answer, model = asyncio.Event(), Recorder()

    async def slow(peer: Peer) -> None:
        model.requests.append(await peer.request())
        await may_answer.wait()
        await peer.say(OK)

    limits = WireLimits(pipelined_bytes=10_000)
    async with conversation(slow, limits=limits) as talk, talk.client() as client:
        await client.say(numbered(0))
        peer = await talk.model.next_peer()
        await peer.heard(b"n=0")
        await client.say(numbered(1) * 200)
        may_answer.set()
        async with asyncio.timeout(PATIENCE_S):
            assert statuses(await client.rest()) == [200]
        assert len(model.requests) == 1


async def test_who_leaves_with_requests_pipelined_frees_the_model() -> None:
    async def thinking(peer: Peer) -> None:
        await peer.request()
        await peer.say(SSE_HEAD)
        await peer.closed.wait()

    for ahead in (numbered(1), numbered(1) * 5_000):  # few, and more than are kept
        async with conversation(thinking) as talk:
            async with talk.client() as client:
                await client.say(request(STREAMED))
                await client.hear(b"\r\n\r\n")
                peer = await talk.model.next_peer()
                await client.say(ahead)
            async with asyncio.timeout(PATIENCE_S):
                await peer.closed.wait()
            await talk.on.rest()
            assert len(talk.on.told.finished) == 1

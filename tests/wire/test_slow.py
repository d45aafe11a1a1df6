"""Peers that take their time: each is closed by its deadline, and no honest one is."""

import asyncio

import pytest

from gateway.proxy.wire_limits import WireLimits
from tests.parts.raw_server import Peer
from tests.proxy.stage import DONE, STREAMED, chunk
from tests.wire.conversation import SSE_HEAD, RawClient, chunked, conversation, request
from tests.wire.recording import Recorder, statuses
from tests.wire.rows import BODY, LENGTH, POST, chunks, get, post, raw

SHORT_S = 0.2
LONG_S = 3600.0
PATIENCE_S = 10.0


def only(**short: float) -> WireLimits:
    """Every deadline is far but the one that the test is about."""
    far = dict.fromkeys(("head_s", "body_span_s", "idle_s", "stall_s", "linger_s"), LONG_S)
    return WireLimits(**{**far, **short})  # type: ignore[arg-type]  # all of these are seconds


async def drip(client: RawClient, data: bytes) -> None:
    """Byte by byte, faster than any deadline, until the server has had enough."""
    try:
        for at in range(len(data)):
            await client.say(data[at : at + 1])
            await asyncio.sleep(0.01)
    except ConnectionError:
        pass


async def test_who_says_nothing_is_left_without_a_word() -> None:
    async with (
        conversation(Recorder().script, limits=only(head_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):
        assert await client.rest() == b""


@pytest.mark.parametrize("before", [b"", get()], ids=["at first", "later"])
async def test_a_head_that_drips_is_ended(before: bytes) -> None:
    model = Recorder()
    async with (
        conversation(model.script, limits=only(head_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):
        await client.say(before)
        if before:
            await client.answer()
        dripping = asyncio.create_task(drip(client, get(b"X: " + b"a" * 10_000)))
        heard = await client.rest()
        assert statuses(heard) == [408]
        assert b"connection: close" in heard
        await dripping
    assert len(model.requests) == bool(before)


@pytest.mark.parametrize("begun", [b"", b"{", BODY[:-1]], ids=["none", "a byte", "nearly all"])
async def test_a_body_that_does_not_come_is_ended(begun: bytes) -> None:
    model = Recorder()
    async with (
        conversation(model.script, limits=only(body_span_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):
        await client.say(raw(POST, LENGTH, body=begun))
        assert statuses(await client.rest()) == [408]
    assert model.requests == []


@pytest.mark.parametrize(
    "framed",
    [raw(POST, b"Content-Length: 20000"), chunks(b"4e20\r\n")],
    ids=["by length", "in chunks"],
)
async def test_a_body_that_drips_is_ended(framed: bytes) -> None:
    async with (
        conversation(Recorder().script, limits=only(body_span_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):
        await client.say(framed)
        dripping = asyncio.create_task(drip(client, b"a" * 20_000))
        assert statuses(await client.rest()) == [408]
        await dripping


async def test_a_body_that_keeps_the_pace_may_take_many_spans() -> None:
    span_s, spans = 0.5, 3
    limits = WireLimits(body_span_s=span_s, body_bytes_per_s=1)
    model = Recorder()
    async with conversation(model.script, limits=limits) as talk, talk.client() as client:
        await client.say(raw(POST, LENGTH))
        for byte in BODY:
            await client.say(bytes([byte]))
            await asyncio.sleep(span_s * spans / len(BODY))
        assert (await client.answer())[0] == 200
    assert model.bodies == [BODY]


async def test_an_idle_connection_is_closed_without_a_word() -> None:
    async with (
        conversation(Recorder().script, limits=only(idle_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):
        await client.say(get())
        assert (await client.answer())[0] == 200
        assert await client.rest() == b""


async def test_a_model_that_thinks_is_no_slow_client() -> None:
    """Nor is one whose stream is silent for longer than any deadline of the wire."""

    async def thinking(peer: Peer) -> None:
        await peer.request()
        await asyncio.sleep(3 * SHORT_S)
        await peer.say(SSE_HEAD + chunked(chunk("Far.")))
        await asyncio.sleep(3 * SHORT_S)
        await peer.say(chunked(DONE, b""))

    limits = only(head_s=SHORT_S, body_span_s=SHORT_S, stall_s=SHORT_S, linger_s=SHORT_S)
    async with conversation(thinking, limits=limits) as talk, talk.client() as client:
        await client.say(request(STREAMED))
        assert b"[DONE]" in await client.hear(b"0\r\n\r\n")


async def test_a_reader_that_takes_nothing_is_cut_and_frees_the_model() -> None:
    async def endless(peer: Peer) -> None:
        await peer.request()
        await peer.say(SSE_HEAD)
        while True:
            await peer.say(chunked(chunk("la " * 20_000)))

    async with (
        conversation(endless, limits=only(stall_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):
        client.stop_reading()
        await client.say(request(STREAMED))
        await (await talk.model.next_peer()).closed.wait()


async def test_a_peer_that_sends_on_hears_its_refusal_first() -> None:
    """Megabytes behind a refusal; the answer arrives, and what is not read is bounded."""
    sent_bytes = 0
    async with (
        conversation(Recorder().script, limits=only(linger_s=SHORT_S)) as talk,
        talk.client() as client,
        asyncio.timeout(PATIENCE_S),
    ):

        async def send_on() -> None:
            nonlocal sent_bytes
            try:
                while True:
                    await client.say(b"a" * 65_536)
                    sent_bytes += 65_536
            except ConnectionError:
                pass

        await client.say(raw(POST, b"Content-Length: 104857600", body=b"{"))
        sending = asyncio.create_task(send_on())
        status, headers, _ = await client.answer()
        assert (status, headers[b"connection"]) == (413, b"close")
        assert await client.rest() == b""
        await sending
    assert sent_bytes < 100 * 2**20


async def test_expected_continue_is_said_once_and_only_to_http_1_1() -> None:
    model = Recorder()
    async with conversation(model.script) as talk:
        async with talk.client() as client:
            await client.say(raw(POST, LENGTH, b"Expect: 100-continue"))
            assert await client.hear(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.say(BODY)
            assert (await client.answer())[0] == 200
        async with talk.client() as client:
            old = post(LENGTH, b"Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
            await client.say(old[: -len(BODY)])
            await asyncio.sleep(0)
            await client.say(BODY)
            assert statuses(await client.rest()) == [200]
    assert model.bodies == [BODY, BODY]


async def test_a_refusal_comes_in_the_place_of_a_continue() -> None:
    async with conversation(Recorder().script) as talk, talk.client() as client:
        await client.say(raw(POST, b"Content-Length: 104857600", b"Expect: 100-continue"))
        assert (await client.answer())[0] == 413

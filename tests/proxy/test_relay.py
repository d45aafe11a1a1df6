import pytest

from gateway.errors import UpstreamProtocolError
from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import OPENAI_CHAT
from gateway.facts.exchange import Ask
from gateway.proxy.asgi import Message
from gateway.proxy.refusal import INTERNAL
from gateway.proxy.relay import Destination, Relay
from tests.parts.values import CHAT
from tests.proxy.stage import ANSWER, DONE, JSON, SSE, USAGE_CHUNK, chunk, head, piece


def relay(
    sent: list[Message], ends: list[bool] | None = None, *, wants_usage_chunk: bool = False
) -> Relay:
    async def send(message: Message) -> None:
        sent.append(message)

    to = Destination(
        OPENAI_CHAT,
        CHAT,
        Ask(model="m", stream=True, wants_usage_chunk=wants_usage_chunk),
        "req_1",
        [(b"x-quota", b"1")],
        inspected_bytes=99,
    )
    return Relay(to, send, lambda: 5, lambda: (ends if ends is not None else []).append(True))


@pytest.mark.parametrize("status", [0, 100, 199, 600, 999])
async def test_a_status_that_is_none_is_never_passed_on(status: int) -> None:
    sent: list[Message] = []
    with pytest.raises(UpstreamProtocolError):
        await head(relay(sent).send, status=status)
    assert sent == []


async def test_a_second_head_and_a_body_without_one_are_faults() -> None:
    sent: list[Message] = []
    subject = relay(sent)
    with pytest.raises(UpstreamProtocolError):
        await piece(subject.send, b"x")
    await head(subject.send)
    with pytest.raises(UpstreamProtocolError):
        await head(subject.send)
    await piece(subject.send, b"x", more=False)
    with pytest.raises(UpstreamProtocolError):
        await piece(subject.send, b"y")


async def test_the_end_is_told_before_the_last_piece_is_sent() -> None:
    sent: list[Message] = []
    ends: list[bool] = []
    subject = relay(sent, ends)
    await head(subject.send, SSE)
    await piece(subject.send, DONE)
    assert ends == []
    await piece(subject.send, b"", more=False)
    assert ends == [True]
    assert subject.ended


async def test_an_event_cut_anywhere_goes_on_whole_and_the_usage_chunk_not_at_all() -> None:
    sent: list[Message] = []
    subject = relay(sent)
    await head(subject.send, SSE)
    for byte in chunk("a") + USAGE_CHUNK + DONE:
        await piece(subject.send, bytes([byte]))
    await piece(subject.send, b"", more=False)
    assert b"".join(message["body"] for message in sent[1:]) == chunk("a") + DONE
    assert all(message["body"] for message in sent[1:-1]), "nothing empty is sent"
    assert subject.usage.output_tokens == 3


async def test_our_quota_headers_stand_on_every_answer() -> None:
    sent: list[Message] = []
    await head(relay(sent).send)
    await head(relay(sent).send, status=503)
    assert (b"x-quota", b"1") in sent[0]["headers"]
    assert (b"x-quota", b"1") in sent[1]["headers"]


async def test_other_messages_of_an_app_go_nowhere() -> None:
    sent: list[Message] = []
    await relay(sent).send({"type": "http.response.trailers", "headers": []})
    assert sent == []


@pytest.mark.parametrize(("passed", "between"), [(chunk("a"), b""), (b"data: {", b"\n\n")])
async def test_an_event_that_was_left_unfinished_is_ended_before_the_error(
    passed: bytes, between: bytes
) -> None:
    """The client asked for the usage itself, so every byte goes on at once."""
    sent: list[Message] = []
    subject = relay(sent, wants_usage_chunk=True)
    await head(subject.send, SSE)
    await piece(subject.send, passed)
    await subject.break_off(INTERNAL)
    body = b"".join(message["body"] for message in sent[1:])
    assert body.startswith(passed + between + b'data: {"error"')


@pytest.mark.parametrize("content_type", [[], [(b"content-type", b"text/plain")]])
async def test_a_stream_that_does_not_say_so_is_read_and_its_usage_chunk_withheld(
    content_type: Headers,
) -> None:
    sent: list[Message] = []
    subject = relay(sent)
    await head(subject.send, content_type)
    await piece(subject.send, chunk("hello") + USAGE_CHUNK + DONE)
    await piece(subject.send, b"", more=False)
    assert sent[1]["body"] == chunk("hello") + DONE
    assert subject.usage.complete


@pytest.mark.parametrize("body", [b"no JSON, some text of it", b"{broken, and no more of it"])
async def test_a_plain_answer_that_nobody_can_read_counts_by_its_bytes(body: bytes) -> None:
    subject = relay([])
    await head(subject.send, JSON)
    await piece(subject.send, body, more=False)
    assert subject.output_tokens_seen == 6


async def test_a_whole_answer_in_the_place_of_a_stream_is_read_whatever_its_type() -> None:
    subject = relay([])
    await head(subject.send, [])
    await piece(subject.send, ANSWER, more=False)
    assert (subject.usage.output_tokens, subject.answered.failed) == (3, False)

import pytest

from gateway.errors import UpstreamProtocolError
from gateway.facts.dialects.registry import OPENAI_CHAT
from gateway.facts.exchange import Ask
from gateway.proxy.asgi import Message
from gateway.proxy.refusal import INTERNAL
from gateway.proxy.relay import Destination, Relay
from tests.parts.values import CHAT
from tests.proxy.stage import DONE, SSE, USAGE_CHUNK, chunk, head, piece


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


async def test_our_quota_headers_stand_on_successes_alone() -> None:
    sent: list[Message] = []
    await head(relay(sent).send)
    await head(relay(sent).send, status=503)
    assert (b"x-quota", b"1") in sent[0]["headers"]
    assert (b"x-quota", b"1") not in sent[1]["headers"]


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

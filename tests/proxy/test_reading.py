import pytest

from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import OPENAI_CHAT
from gateway.facts.exchange import Ask
from gateway.facts.usage import UNREPORTED
from gateway.proxy.reading import Unread, WholeAnswer, is_event_stream, passes_as_events, reader_for
from tests.parts.values import CHAT, MODELS
from tests.proxy.stage import ANSWER, JSON, SSE

ASK = Ask(model="m")


def whole(cap_bytes: int) -> WholeAnswer:
    return WholeAnswer(OPENAI_CHAT, CHAT, 200, cap_bytes)


def test_a_plain_answer_passes_piece_by_piece_and_is_read_at_its_end() -> None:
    reader = whole(len(ANSWER))
    assert reader.feed(ANSWER[:10]) == ANSWER[:10]
    assert reader.feed(ANSWER[10:]) == ANSWER[10:]
    assert reader.finish() == b""
    assert reader.answered.usage.output_tokens == 3


def test_no_more_of_a_plain_answer_is_kept_than_the_cap() -> None:
    reader = whole(len(ANSWER) - 1)
    assert reader.feed(ANSWER) == ANSWER
    assert reader.overflowed
    assert reader.answered.usage == UNREPORTED
    assert reader._pieces == []


@pytest.mark.parametrize(
    ("content_type", "events"),
    [
        (b"text/event-stream", True),
        (b"Text/Event-Stream; charset=utf-8", True),
        (b"application/json", False),
        (b"", False),
    ],
)
def test_an_event_stream_is_known_by_its_type(content_type: bytes, *, events: bool) -> None:
    assert is_event_stream([(b"content-type", content_type)]) is events


@pytest.mark.parametrize("stream", [False, True])
def test_sound_and_images_are_not_read_as_text(*, stream: bool) -> None:
    asked, headers = Ask(model="m", stream=stream), [(b"content-type", b"audio/mpeg")]
    reader = reader_for(OPENAI_CHAT, CHAT, asked, status=200, headers=headers, cap_bytes=9)
    assert isinstance(reader, Unread)
    assert not passes_as_events(asked, 200, headers)


@pytest.mark.parametrize("headers", [JSON, SSE])
def test_an_encoded_answer_is_not_read(headers: Headers) -> None:
    encoded = [*headers, (b"content-encoding", b"gzip")]
    reader = reader_for(OPENAI_CHAT, CHAT, ASK, status=200, headers=encoded, cap_bytes=9)
    assert isinstance(reader, Unread)
    assert reader.feed(b"x") == b"x"
    assert reader.finish() == b""


@pytest.mark.parametrize(
    ("stream", "status", "content_type", "events"),
    [
        (True, 200, b"", True),
        (True, 200, b"text/plain", True),
        (True, 200, b"application/json; charset=utf-8", False),
        (True, 200, b"application/problem+json", False),
        (True, 500, b"text/plain", False),
        (False, 200, b"", False),
        (False, 200, b"text/event-stream", True),
    ],
)
def test_a_stream_that_was_asked_for_is_one_unless_it_says_otherwise(
    *, stream: bool, status: int, content_type: bytes, events: bool
) -> None:
    asked = Ask(model="m", stream=stream)
    headers = [(b"content-type", content_type)] if content_type else []
    reader = reader_for(OPENAI_CHAT, CHAT, asked, status=status, headers=headers, cap_bytes=9)
    assert passes_as_events(asked, status, headers) is events
    assert isinstance(reader, WholeAnswer) is not events


def test_where_no_model_writes_nothing_is_read() -> None:
    reader = reader_for(OPENAI_CHAT, MODELS, ASK, status=200, headers=JSON, cap_bytes=9)
    assert isinstance(reader, Unread)

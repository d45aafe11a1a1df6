import pytest

from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import OPENAI_CHAT
from gateway.facts.exchange import Ask
from gateway.facts.usage import UNREPORTED
from gateway.proxy.reading import Unread, WholeAnswer, is_event_stream, reader_for
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


@pytest.mark.parametrize("headers", [JSON, SSE])
def test_an_encoded_answer_is_not_read(headers: Headers) -> None:
    encoded = [*headers, (b"content-encoding", b"gzip")]
    reader = reader_for(OPENAI_CHAT, CHAT, ASK, status=200, headers=encoded, cap_bytes=9)
    assert isinstance(reader, Unread)
    assert reader.feed(b"x") == b"x"
    assert reader.finish() == b""


def test_where_no_model_writes_nothing_is_read() -> None:
    reader = reader_for(OPENAI_CHAT, MODELS, ASK, status=200, headers=JSON, cap_bytes=9)
    assert isinstance(reader, Unread)

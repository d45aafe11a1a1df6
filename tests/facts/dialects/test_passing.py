"""What goes on of a stream, and when, whatever its events mean."""

import pytest

from gateway.facts.dialects.passing import Seen, WatchedStream, inner, json_object, label, objects
from gateway.facts.event_stream import Event


class Censor:
    """Withholds every event that says so."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.read_data: list[bytes] = []

    def read(self, event: Event) -> bool:
        self.read_data.append(event.data)
        return event.data.startswith(b"withhold")


SCRIPTS = {
    "a whole event goes on at once": [
        (b"data: a\n\n", b"data: a\n\n"),
        (b"", b""),
    ],
    "half an event waits": [
        (b"data: a\n", b""),
        (b"\ndata: b", b"data: a\n\n"),
        (None, b"data: b"),
    ],
    "a withheld event leaves no trace": [
        (b"data: a\n\ndata: with", b"data: a\n\n"),
        (b"hold\n\ndata: b\n\n", b"data: b\n\n"),
        (None, b""),
    ],
    "neither does the line feed that was cut from it": [
        (b"data: withhold\r\n\r", b""),
        (b"\ndata: b\r\n\r", b"data: b\r\n\r"),
        (b"\n", b"\n"),
        (None, b""),
    ],
    "a withheld event may be the last and unfinished": [
        (b"data: withhold", b""),
        (None, b""),
    ],
    "comments keep a connection alive": [
        (b": ping\n\n", b": ping\n\n"),
    ],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_whole_events_pass(script: list[tuple[bytes | None, bytes]]) -> None:
    stream = WatchedStream(Censor(), may_withhold=True)
    for came, passed in script:
        assert (stream.finish() if came is None else stream.feed(came)) == passed


def test_where_nothing_is_withheld_every_byte_passes_at_once_and_is_read() -> None:
    censor = Censor()
    stream = WatchedStream(censor, may_withhold=False)
    for came in (b"data: a\n", b"\ndata: withhold\n\nda", b"ta: b"):
        assert stream.feed(came) == came
    assert stream.finish() == b""
    assert censor.read_data == [b"a", b"withhold", b"b"]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b'"x"', b"{", b"\xff", b'{"a":"\xff"}', b"[" * 10**5, b'{"a":1e999}']
)
def test_what_is_no_json_object_is_none(data: bytes) -> None:
    assert json_object(data) is None


def test_odd_values_are_empty_ones() -> None:
    assert objects([{"a": 1}, 7, None, {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert objects({"a": 1}) == objects(None) == []
    assert inner({"a": {"b": 1}}, "a") == {"b": 1}
    assert inner({"a": [1]}, "a") == inner({}, "a") == {}
    assert [label(value) for value in ("x", "", "x" * 257, 7, None)] == [
        "x",
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(("counted", "seen"), [(0, 2), (1, 2), (40, 40)])
def test_the_providers_running_count_is_believed_where_it_tells_more_than_the_text(
    counted: int, seen: int
) -> None:
    assert Seen(text_bytes=8, counted_tokens=counted).answered().output_tokens_seen == seen

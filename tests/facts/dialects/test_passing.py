"""What goes on of a stream, and when, whatever its events mean."""

from math import inf

import pytest

from gateway.facts.dialects import registry
from gateway.facts.dialects.anthropic import MESSAGES
from gateway.facts.dialects.gemini import GENERATE
from gateway.facts.dialects.openai_responses import RESPONSES
from gateway.facts.dialects.openai_usage import OpenAIUsage
from gateway.facts.dialects.passing import Seen, WatchedStream, inner, json_object, label, objects
from gateway.facts.dialects.port import Dialect
from gateway.facts.event_stream import Event
from gateway.facts.exchange import Ask, Route
from tests.parts.values import CHAT


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
    "data",
    [
        *(b"", b"[]", b"1", b'"x"', b"{", b"\xff", b"[" * 10**5, b'{"a":' * 10**5, b"NaN"),
        b'{"a":NaN,"b":' + b"[" * 200 + b"]" * 200 + b"}",
    ],
)
def test_what_is_no_json_object_is_none(data: bytes) -> None:
    assert json_object(data) is None


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a":[-Infinity],"b":7}', {"a": [-inf], "b": 7}),
        (b'\xef\xbb\xbf {"b":7}', {"b": 7}),
        (b'{"b":7}\n{"b":8}', {"b": 7}),
        (b'{"a":"\xff","b":7}', {"a": "\ufffd", "b": 7}),
        (b'{"a":"\\ud800x\\\\ud800","b":7}', {"a": "\ufffdx\\ud800", "b": 7}),
        (b'{"a":1e999,"b":7}', {"a": inf, "b": 7}),
        (b'{"a":NaN0,"b":7}', None),
        (b'{"x":-Infinity,"a":' + b"9" * 5000 + b"}", {"x": -inf, "a": inf}),
    ],
)
def test_what_only_strict_json_rejects_is_read(data: bytes, told: object) -> None:
    assert json_object(data) == told


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (b"data: {broken and of some length\n\n", 7),
        (b"data: [DONE]\n\n", 0),
        (b": ping\n\n", 0),
        (b"event: ping\n\n", 0),
        (b'data: {"x": NaN}\n\n', 0),
        (b"{broken between events\n\n", 6),
        (b"an answer without any form", 7),
        (b"id: 7\r\rretry: 9\r\r", 0),
    ],
)
@pytest.mark.parametrize(
    ("dialect", "route"),
    [
        (registry.OPENAI_CHAT, CHAT),
        (registry.OPENAI_RESPONSES, RESPONSES),
        (registry.ANTHROPIC, MESSAGES),
        (registry.GEMINI, GENERATE),
        (OpenAIUsage(), CHAT),
    ],
    ids=lambda part: type(part).__name__,
)
def test_events_that_nobody_can_read_count_by_their_bytes(
    dialect: Dialect, route: Route, raw: bytes, written: int
) -> None:
    watch = dialect.watch_stream(route, Ask(model="m", stream=True))
    watch.feed(raw)
    watch.finish()
    assert watch.output_tokens_seen == written


def test_an_absurd_running_count_is_not_believed() -> None:
    assert Seen(text_bytes=8, counted_tokens=2**40).output_tokens == 2


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

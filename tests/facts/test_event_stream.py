"""Events come out whole and unchanged, wherever their bytes were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.event_stream import Event, EventStream

ENDS = ("\n", "\r", "\r\n")


def split(*pieces: bytes, cap: int = 2**20) -> list[Event]:
    stream = EventStream(cap)
    events = [event for piece in pieces for event in stream.feed(piece)]
    rest = stream.rest()
    return [*events, rest] if rest.raw else events


def told(events: list[Event]) -> list[tuple[str, bytes]]:
    return [(event.name, event.data) for event in events if event.name or event.data]


@pytest.mark.parametrize("end", ENDS)
def test_an_event_ends_with_an_empty_line(end: str) -> None:
    first = f"event: a{end}data: 1{end}{end}".encode()
    second = f"data: 2{end}{end}".encode()
    assert split(first + second) == [Event(first, "a", b"1"), Event(second, "", b"2")]


@pytest.mark.parametrize(
    ("line", "name", "data"),
    [
        (b"data: x", "", b"x"),
        (b"data:x", "", b"x"),
        (b"data:  x ", "", b" x "),
        (b"data", "", b""),
        (b"data: a\ndata: b", "", b"a\nb"),
        (b"data: a: b", "", b"a: b"),
        (b": a comment", "", b""),
        (b":data: x", "", b""),
        (b"Data: x", "", b""),
        (b" data: x", "", b""),
        (b"id: 7\nretry: 10\ndata: x", "", b"x"),
        (b"event: a\nevent: b\ndata: x", "b", b"x"),
        (b"event: \xff\ndata: \xff", "\ufffd", b"\xff"),
    ],
)
def test_fields_are_read_as_the_standard_has_them(line: bytes, name: str, data: bytes) -> None:
    raw = line + b"\n\n"
    assert split(raw) == [Event(raw, name, data)]


def test_a_mark_is_read_over_at_the_beginning_only() -> None:
    mark = b"\xef\xbb\xbf"
    first, second = mark + b"data: 1\n\n", mark + b"data: 2\n\n"
    assert split(first + second) == [Event(first, "", b"1"), Event(second)]


def test_a_complete_event_comes_out_at_once() -> None:
    stream = EventStream()
    assert stream.feed(b"data: 1\n") == []
    assert stream.feed(b"\nda") == [Event(b"data: 1\n\n", "", b"1")]


def test_an_event_ended_by_carriage_returns_does_not_wait_for_what_may_follow() -> None:
    stream = EventStream()
    assert stream.feed(b"data: 1\r\n\r") == [Event(b"data: 1\r\n\r", "", b"1")]
    assert stream.feed(b"") == []
    assert stream.feed(b"\ndata: 2\r\r") == [
        Event(b"\n", continues=True),
        Event(b"data: 2\r\r", "", b"2"),
    ]
    assert stream.feed(b"data: 3\n\n") == [Event(b"data: 3\n\n", "", b"3")]


def test_the_rest_is_read_as_if_it_had_ended() -> None:
    stream = EventStream()
    stream.feed(b"data: 1\n\ndata: 2\n")
    assert stream.rest() == Event(b"data: 2\n", "", b"2")
    assert stream.rest() == Event(b"")


@pytest.mark.parametrize("end", ENDS)
def test_an_event_of_the_cap_is_read_and_a_longer_one_is_not(end: str) -> None:
    cap = 100
    longest = b"data: " + b"x" * (cap - 6)
    ended = (end + end).encode()
    next_event = b"data: next\n\n"
    for size in (1, 2, 3, cap, 1000):
        exact = longest + ended + next_event
        assert told(split(*pieces(exact, size), cap=cap)) == [("", b"x" * 94), ("", b"next")]
        longer = longest + b"x" + ended + next_event
        assert told(split(*pieces(longer, size), cap=cap)) == [("", b"next")]


def test_what_never_ends_is_passed_on_in_bounded_memory() -> None:
    stream = EventStream(100)
    passed = 0
    for _ in range(100):
        passed += sum(len(event.raw) for event in stream.feed(b"data: usage " * 5))
        assert len(stream._pending) <= 104
    assert passed + len(stream.rest().raw) == 100 * 60


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


STREAMS = st.lists(
    st.sampled_from(
        [b"data: 1", b"data: 2", b"event: e", b": c", b"x", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf"]
    ),
    max_size=30,
).map(b"".join)


@given(STREAMS)
def test_no_cut_changes_what_is_read(data: bytes) -> None:
    whole = split(data)
    assert b"".join(event.raw for event in whole) == data
    for at in range(len(data) + 1):
        cut = split(data[:at], data[at:])
        assert b"".join(event.raw for event in cut) == data
        assert told(cut) == told(whole)
    assert told(split(*pieces(data, 1))) == told(whole)


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 20))
def test_garbage_passes_unchanged_and_raises_nothing(chunks: list[bytes], cap: int) -> None:
    assert b"".join(event.raw for event in split(*chunks, cap=cap)) == b"".join(chunks)

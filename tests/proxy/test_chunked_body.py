from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy.chunked_body import FREE_FRAMING_BYTES, ChunkedBody
from gateway.proxy.wire_limits import WireLimits
from gateway.proxy.wire_refusal import Refused

LIMITS = WireLimits()
NEXT = b"GET / HTTP/1.1\r\n"


def framed(pieces: list[bytes], trailers: bytes = b"") -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return chunks + b"0\r\n" + trailers + b"\r\n"


def read(pieces: list[bytes]) -> int | None:
    """The index of the end in all of them together, or None."""
    body, before = ChunkedBody(), 0
    for piece in pieces:
        end = body.end_in(piece, LIMITS)
        if end is not None:
            return before + end
        before += len(piece)
    return None


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    st.sampled_from([b"", b"X-Sum: 1\r\n", b"A:\r\nB: c\r\n"]),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_the_end_is_the_same_however_it_is_cut(
    data: list[bytes], trailers: bytes, cuts: list[int]
) -> None:
    body = framed(data, trailers)
    whole = body + NEXT
    at = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[begin:end] for begin, end in pairwise(at)]
    assert read(pieces) == len(body)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.data())
def test_a_body_without_its_end_goes_on(data: list[bytes], draw: st.DataObject) -> None:
    body = framed(data)
    assert read([body[: draw.draw(st.integers(0, len(body) - 1))]]) is None


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_bytes_end_go_on_or_are_refused(data: bytes, step: int) -> None:
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    answers = []
    for cut in (pieces, [data]):
        try:
            answers.append(read(cut))
        except Refused:
            answers.append(-1)
    assert answers[0] == answers[1]


def test_small_chunks_are_taken_until_they_are_nearly_all_framing() -> None:
    body = ChunkedBody()
    body.end_in(b"1\r\na\r\n" * (FREE_FRAMING_BYTES // 6), LIMITS)
    with pytest.raises(Refused, match="too small"):
        body.end_in(b"1\r\na\r\n" * FREE_FRAMING_BYTES, LIMITS)


def test_chunks_of_some_words_are_never_too_small() -> None:
    body = ChunkedBody()
    assert body.end_in(framed([b"a few words"] * 50_000), LIMITS) is not None

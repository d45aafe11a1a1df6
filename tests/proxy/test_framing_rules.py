"""The rules alone; tests/wire has each of them on a socket."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy.framing_rules import (
    CHUNKED,
    check_beginning,
    framing,
    read_head,
    without_upgrade,
)
from gateway.proxy.wire_limits import WireLimits
from gateway.proxy.wire_refusal import Refused

LIMITS = WireLimits()
HEAD = b"POST /v1/messages?beta=true HTTP/1.1\r\nHost: gauger.test\r\nX-Kept: a\r\n\r\n"
HOST = (b"host", b"gauger.test")


def test_a_plain_head_is_taken_apart() -> None:
    line = read_head(HEAD, LIMITS)
    assert line == (b"POST", b"/v1/messages?beta=true", b"1")


@pytest.mark.parametrize(
    ("field", "length"),
    [
        ((b"accept", b"*/*"), 0),
        ((b"content-length", b"0"), 0),
        ((b"content-length", b"17"), 17),
        ((b"content-length", b"9" * 18), int("9" * 18)),
        ((b"transfer-encoding", b"chunked"), CHUNKED),
    ],
)
def test_a_length_is_told(field: tuple[bytes, bytes], length: int) -> None:
    assert framing([HOST, field], b"1", LIMITS) == (length, False)


def test_continue_is_waited_for_by_http_1_1_alone() -> None:
    fields = [HOST, (b"expect", b"100-Continue")]
    assert framing(fields, b"1", LIMITS) == (0, True)
    assert framing(fields, b"0", LIMITS) == (0, False)


def test_a_limit_is_what_is_still_taken() -> None:
    read_head(HEAD, WireLimits(request_line_bytes=36, head_bytes=len(HEAD)))
    framing([HOST, (b"x", b"a")], b"1", WireLimits(header_fields=2))


def test_one_more_than_a_limit_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read_head(HEAD, WireLimits(request_line_bytes=35))
    assert refused.value.status == 414
    with pytest.raises(Refused) as refused:
        read_head(HEAD, WireLimits(head_bytes=len(HEAD) - 1))
    assert refused.value.status == 431
    with pytest.raises(Refused) as refused:
        framing([HOST, (b"x", b"a")], b"1", WireLimits(header_fields=1))
    assert refused.value.status == 431
    with pytest.raises(Refused) as refused:
        check_beginning(bytearray(HEAD[:-2]), 0, WireLimits(header_fields=0))
    assert refused.value.status == 431


def test_only_the_offer_of_another_protocol_is_taken_out() -> None:
    head = b"GET / HTTP/1.1\r\nUPGRADE: h2c\r\nX-Upgrade: a\r\nupgrade: websocket\r\n\r\n"
    assert without_upgrade(head) == b"GET / HTTP/1.1\r\nX-Upgrade: a\r\n\r\n"


@given(st.integers(0, len(HEAD) - 1), st.integers(1, 255))
def test_no_changed_byte_makes_two_requests_of_one(at: int, by: int) -> None:
    """What passes is one head: it has one end, and its lines are those that a reader would see."""
    changed = HEAD[:at] + bytes([(HEAD[at] + by) % 256]) + HEAD[at + 1 :]
    try:
        read_head(changed, LIMITS)
    except Refused:
        return
    assert changed.find(b"\r\n\r\n") == len(changed) - 4
    assert changed.count(b"\n") == changed.count(b"\r") == changed.count(b"\r\n")


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    for head in (data, HEAD[:-2] + data, data + b"\r\n\r\n"):
        with contextlib.suppress(Refused):
            read_head(head, LIMITS)
        with contextlib.suppress(Refused):
            check_beginning(bytearray(head), 0, LIMITS)


@given(st.data())
def test_the_beginning_of_a_good_head_is_never_refused(data: st.DataObject) -> None:
    head = data.draw(st.sampled_from([HEAD, b"\r\n" + HEAD]))
    cut = data.draw(st.integers(1, len(head) - 1))
    new_from = data.draw(st.integers(0, cut))
    check_beginning(bytearray(head[:cut]), new_from, LIMITS)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b" \t" * 30_000 + b"\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a" * 60_000,
        b"GET /" + b"/" * 60_000 + b" HTTP/1.1\r\n",
        b"A" * 60_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 15_000 + b"b",
    ],
    ids=["spaces", "a name", "slashes", "a method", "lines"],
)
def test_no_head_makes_a_rule_go_back(head: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(Refused):
        read_head(head, WireLimits(request_line_bytes=10**6, head_bytes=10**6))
    assert time.process_time() - began < 1  # milliseconds; a quadratic rule would take minutes

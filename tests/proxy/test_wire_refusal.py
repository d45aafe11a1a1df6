import json

import pytest

from gateway.proxy.wire_refusal import CODES, Refused, options_bytes, refusal_bytes


@pytest.mark.parametrize("status", CODES)
def test_a_refusal_is_a_whole_answer_that_ends_the_connection(status: int) -> None:
    answer = refusal_bytes(Refused(status, "So."), to_head=False, server_headers=[(b"date", b"x")])
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 %d " % status)
    assert b"date: x" in lines
    assert b"connection: close" in lines
    assert b"content-length: %d" % len(body) in lines
    error = json.loads(body)["error"]
    assert (error["message"], error["code"]) == ("So.", CODES[status])


def test_head_is_told_the_length_and_nothing_more() -> None:
    to_get = refusal_bytes(Refused(400, "So."), to_head=False)
    assert refusal_bytes(Refused(400, "So."), to_head=True) == to_get.partition(b"{")[0]


def test_options_is_answered_without_a_body() -> None:
    assert b"content-length: 0\r\n" in options_bytes()

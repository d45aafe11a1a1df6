import pytest

from gateway.errors import UpstreamProtocolError
from gateway.facts.dialects.port import Headers
from gateway.proxy.answer_headers import for_client, upstream_request_id

OURS: Headers = [(b"x-request-id", b"req_1")]


def passed(headers: Headers, *, length_may_change: bool = False) -> Headers:
    return for_client(headers, ours=OURS, length_may_change=length_may_change)


@pytest.mark.parametrize(
    "name",
    [
        b"connection",
        b"keep-alive",
        b"transfer-encoding",
        b"trailer",
        b"upgrade",
        b"proxy-authenticate",
        b"server",
        b"date",
        b"alt-svc",
        b"set-cookie",
        b"x-request-id",
        b"request-id",
        b"X-Request-Id",
    ],
)
def test_what_belongs_to_the_hop_or_is_ours_is_not_passed_on(name: bytes) -> None:
    assert passed([(name, b"1"), (b"x-kept", b"1")]) == [(b"x-kept", b"1"), *OURS]


def test_what_connection_names_is_not_passed_on() -> None:
    assert passed([(b"connection", b"X-Hop"), (b"x-hop", b"1")]) == OURS


LIMITS: Headers = [
    (b"x-ratelimit-limit-requests", b"1"),
    (b"anthropic-ratelimit-requests-limit", b"1"),
    (b"ratelimit", b'"a";r=1'),
    (b"ratelimit-policy", b'"a";q=1'),
]


def test_the_upstreams_limits_give_way_to_ours() -> None:
    assert passed(LIMITS) == OURS


def test_when_to_come_back_is_passed_on() -> None:
    told = [(b"retry-after", b"3"), (b"retry-after-ms", b"2900"), (b"x-should-retry", b"true")]
    assert passed(told) == [*told, *OURS]


def test_repeats_stay_in_order() -> None:
    warnings = [(b"warning", b"a"), (b"warning", b"b")]
    assert passed(warnings) == [*warnings, *OURS]


def test_a_length_that_may_change_is_not_promised() -> None:
    assert passed([(b"content-length", b"9")], length_may_change=True) == OURS
    assert passed([(b"content-length", b"9")]) == [(b"content-length", b"9"), *OURS]


@pytest.mark.parametrize("bad", [(b"a b", b"1"), (b"", b"1"), (b"x", b"a\r\nb: c"), (b"x", b"\0")])
def test_what_cannot_be_written_is_a_fault_of_the_upstream(bad: tuple[bytes, bytes]) -> None:
    with pytest.raises(UpstreamProtocolError):
        passed([bad])


def test_the_upstreams_id_is_kept_for_the_trace() -> None:
    assert upstream_request_id([(b"Request-Id", b"up_1")]) == "up_1"
    assert upstream_request_id([(b"request-id", b"a b")]) is None
    assert upstream_request_id([(b"request-id", b"a" * 999)]) is None
    assert upstream_request_id([]) is None

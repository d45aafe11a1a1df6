import logging

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, DEFAULT_ON

from gateway.telemetry.trace_context import Headers, identifiers, passed_through

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{SPAN}-01".encode()
UNSAMPLED = f"00-{TRACE}-{SPAN}-00".encode()


def sent(headers: Headers) -> dict[bytes, bytes]:
    return dict(headers)


def test_without_a_caller_a_new_trace_begins() -> None:
    one = identifiers([], DEFAULT_ON, trusted=True)
    other = identifiers([], DEFAULT_ON, trusted=True)
    assert one.parent is None
    assert one.linked is None
    assert one.server.trace_id == one.client.trace_id != other.server.trace_id
    assert one.server.span_id != one.client.span_id


def test_a_trusted_caller_is_the_parent() -> None:
    headers = [(b"traceparent", SAMPLED), (b"tracestate", b"vendor=1"), (b"tracestate", b"b=2")]
    ids = identifiers(headers, DEFAULT_ON, trusted=True)
    assert f"{ids.server.trace_id:032x}" == TRACE
    assert ids.parent is not None
    assert f"{ids.parent.span_id:016x}" == SPAN
    assert ids.linked is None
    assert sent(ids.upstream_headers()) == {
        b"traceparent": f"00-{TRACE}-{ids.client.span_id:016x}-01".encode(),
        b"tracestate": b"vendor=1,b=2",
    }


def test_a_stranger_is_a_link_and_cannot_choose_the_trace_or_the_sampling() -> None:
    headers = [(b"traceparent", UNSAMPLED), (b"tracestate", b"vendor=1")]
    ids = identifiers(headers, DEFAULT_ON, trusted=False)
    assert f"{ids.server.trace_id:032x}" != TRACE
    assert ids.parent is None
    assert ids.linked is not None
    assert f"{ids.linked.trace_id:032x}" == TRACE
    assert ids.sampled
    assert list(sent(ids.upstream_headers())) == [b"traceparent"]


def test_a_trusted_caller_decides_the_sampling() -> None:
    ids = identifiers([(b"traceparent", UNSAMPLED)], DEFAULT_ON, trusted=True)
    assert not ids.sampled
    assert sent(ids.upstream_headers())[b"traceparent"].endswith(b"-00")


def test_what_is_not_sampled_still_has_ids_for_upstream() -> None:
    ids = identifiers([], ALWAYS_OFF, trusted=False)
    assert sent(ids.upstream_headers())[b"traceparent"].endswith(b"-00")


def test_baggage_goes_nowhere() -> None:
    headers = [(b"traceparent", SAMPLED), (b"baggage", b"customer=7")]
    assert b"baggage" not in sent(identifiers(headers, ALWAYS_ON, trusted=True).upstream_headers())
    assert passed_through(headers) == [(b"traceparent", SAMPLED)]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"traceparent", b"")],
        [(b"traceparent", b"00-nonsense")],
        [(b"traceparent", b"ff" + SAMPLED[2:])],
        [(b"traceparent", f"00-{'0' * 32}-{SPAN}-01".encode())],
        [(b"traceparent", f"00-{TRACE}-{'0' * 16}-01".encode())],
        [(b"traceparent", SAMPLED), (b"traceparent", SAMPLED)],
        [(b"traceparent", b"01" + SAMPLED[2:] + b"-" + b"x" * 600)],
        [(b"traceparent", "00-é".encode())],
    ],
)
@pytest.mark.parametrize("trusted", [True, False])
def test_an_unreadable_caller_is_nobody(
    headers: Headers, trusted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ids = identifiers(headers, DEFAULT_ON, trusted=trusted)
    assert ids.parent is None
    assert ids.linked is None
    assert not caplog.records


def test_a_strangers_tracestate_never_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    headers = [(b"traceparent", SAMPLED), (b"tracestate", b"not a member"), (b"tracestate", b"=")]
    with caplog.at_level(logging.DEBUG):
        identifiers(headers, DEFAULT_ON, trusted=False)
    assert not caplog.records


def test_a_state_that_is_too_long_is_dropped_and_the_parent_kept() -> None:
    headers = [(b"traceparent", SAMPLED), (b"tracestate", b"a=" + b"x" * 600)]
    ids = identifiers(headers, DEFAULT_ON, trusted=True)
    assert ids.parent is not None
    assert list(sent(ids.upstream_headers())) == [b"traceparent"]

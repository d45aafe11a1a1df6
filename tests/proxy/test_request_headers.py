import pytest

from gateway.errors import MalformedRequest, Unidentified
from gateway.facts.dialects.port import Headers
from gateway.proxy.request_headers import RequestHeaders, read_headers

BEARER = (b"authorization", b"Bearer sk-1")


@pytest.mark.parametrize(
    "headers",
    [
        [BEARER],
        [(b"authorization", b"bearer  sk-1 ")],
        [(b"x-api-key", b"sk-1")],
        [BEARER, (b"x-api-key", b"sk-1")],
        [(b"x-goog-api-key", b"sk-1")],
        [BEARER, (b"x-goog-api-key", b"sk-1")],
    ],
)
def test_one_credential_is_one_however_it_is_shown(headers: Headers) -> None:
    assert read_headers(headers).credential() == "sk-1"


@pytest.mark.parametrize(
    "headers",
    [[], [(b"x-api-key", b" ")], [(b"authorization", b"Basic a")], [(b"authorization", b"Bearer")]],
)
def test_without_a_credential_nobody_asks(headers: Headers) -> None:
    with pytest.raises(Unidentified):
        read_headers(headers).credential()


@pytest.mark.parametrize("name", [b"x-api-key", b"x-goog-api-key"])
def test_two_credentials_are_refused(name: bytes) -> None:
    with pytest.raises(MalformedRequest) as refused:
        read_headers([BEARER, (name, b"sk-2")]).credential()
    assert "sk-" not in refused.value.message


@pytest.mark.parametrize(
    "headers",
    [
        [BEARER, BEARER],
        [(b"x-api-key", b"a"), (b"x-api-key", b"a")],
        [(b"host", b"a"), (b"host", b"a")],
        [(b"content-length", b"1"), (b"content-length", b"1")],
        [(b"content-type", b"a"), (b"content-type", b"a")],
        [(b"content-length", b"+1")],
        [(b"content-length", b"1, 1")],
        [(b"x_api_key", b"a")],
        [(b"x-goog-api-key", b"a"), (b"x-goog-api-key", b"a")],
        [(b"x_goog_api_key", b"a")],
        [(b"content_length", b"1")],
        [(b"transfer_encoding", b"chunked")],
        [(b"x_account_id", b"a")],
        [(b"x_forwarded_for", b"a")],
        [(b"x-forwarded_for", b"a")],
        [(b"connection", b"close, authorization")],
        [(b"connection", b"X-Account-Id")],
        [(b"connection", b"content-length")],
        [(b"x-a", b"a\nb")],
        [(b"x-a", b"a\rb")],
        [(b"x-a", b"a\x00b")],
    ],
)
def test_headers_with_two_meanings_are_refused(headers: Headers) -> None:
    with pytest.raises(MalformedRequest):
        read_headers(headers)


@pytest.mark.parametrize(
    "name",
    [
        b"host",
        b"content-length",
        b"expect",
        b"accept-encoding",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"upgrade",
        b"proxy-authorization",
        b"proxy-connection",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-anything",
        b"x-real-ip",
        b"x-account-id",
        b"x-original-url",
        b"x-http-method-override",
        b"x-abuse-tier",
        b"x-gauger-anything",
        b"traceparent",
        b"tracestate",
        b"baggage",
        b"x-request-id",
        b"request-id",
        b"via",
        b"authorization",
        b"x-api-key",
        b"x-goog-api-key",
        b"x-goog-fieldmask",
        b"x-goog-encode-response-if-executable",
    ],
)
def test_what_is_not_the_callers_to_say_does_not_go_on(name: bytes) -> None:
    assert read_headers([(name, b"1"), (b"x-kept", b"yes")]).forwarded == [(b"x-kept", b"yes")]


def test_what_connection_names_does_not_go_on() -> None:
    headers = [(b"connection", b"close, X-Hop"), (b"x-hop", b"1"), (b"x-kept", b"1")]
    assert read_headers(headers).forwarded == [(b"x-kept", b"1")]


def test_repeats_go_on_in_their_order() -> None:
    headers = [(b"anthropic-beta", b"a"), (b"x-b", b"1"), (b"anthropic-beta", b"c")]
    assert read_headers(headers).forwarded == headers


@pytest.mark.parametrize(
    "declared",
    [b"application/json", b"Application/JSON", b"application/json; charset=utf-8", None],
)
def test_json_is_taken(declared: bytes | None) -> None:
    read_headers([(b"content-type", declared)] if declared else []).demand_json()


@pytest.mark.parametrize(
    "header",
    [
        (b"content-type", b"text/plain"),
        (b"content-type", b"application/json; charset=utf-16"),
        (b"content-type", b"multipart/form-data; boundary=x"),
        (b"content-encoding", b"gzip"),
        (b"content-encoding", b"chunked"),
        (b"content-encoding", b"identity"),
    ],
)
def test_a_body_in_another_form_is_refused(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(MalformedRequest):
        read_headers([header]).demand_json()


@pytest.mark.parametrize(
    ("headers", "announced"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"1")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_body_is_announced_by_its_framing(headers: Headers, *, announced: bool) -> None:
    assert read_headers(headers).body_announced is announced


def agent(*values: bytes) -> RequestHeaders:
    return read_headers([(b"user-agent", value) for value in values])


def test_hints_for_the_trace_are_bounded_and_never_trusted() -> None:
    assert agent(b"OpenAI/Python 3.3.0", b"other").user_agent == "OpenAI/Python 3.3.0"
    assert len(agent(b"a" * 5000).user_agent or "") == 256
    assert agent(b"\xff").user_agent is None
    assert agent().user_agent is None
    assert read_headers([(b"x-stainless-retry-count", b"2")]).retry_count == 2
    assert read_headers([(b"x-stainless-retry-count", b"999999")]).retry_count == 99
    assert read_headers([(b"x-stainless-retry-count", b"-1")]).retry_count == 0


def test_a_repr_holds_no_secret() -> None:
    shown = repr(read_headers([BEARER, (b"cookie", b"session=abc")]))
    assert "sk-1" not in shown
    assert "abc" not in shown

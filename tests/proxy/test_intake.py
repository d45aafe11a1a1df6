from gateway.facts.dialects.registry import ANTHROPIC, OPENAI_CHAT
from gateway.proxy.intake import UpstreamKey, upstream_headers
from gateway.proxy.request_headers import read_headers

CALLERS = read_headers(
    [
        (b"x-api-key", b"sk-caller"),
        (b"anthropic-version", b"2023-06-01"),
        (b"cookie", b"a=1"),
        (b"openai-organization", b"org_1"),
    ]
)
TRACE = [(b"traceparent", b"ours")]
NAME = b"1.1 gauger-us"
OWN = [(b"accept-encoding", b"identity"), (b"via", NAME), (b"x-request-id", b"req_1"), *TRACE]


def test_without_a_key_of_the_operators_the_callers_goes_on_as_it_came() -> None:
    headers = upstream_headers(CALLERS, OPENAI_CHAT, None, "req_1", TRACE, own_name=NAME)
    assert headers == [*CALLERS.forwarded, (b"x-api-key", b"sk-caller"), *OWN]


def test_the_operators_key_takes_the_place_of_all_that_is_the_callers() -> None:
    headers = upstream_headers(
        CALLERS, ANTHROPIC, UpstreamKey("sk-op"), "req_1", TRACE, own_name=NAME
    )
    assert headers == [(b"anthropic-version", b"2023-06-01"), (b"x-api-key", b"sk-op"), *OWN]


def test_through_whom_a_request_came_goes_on_with_our_own_name_added() -> None:
    came = read_headers([(b"x-api-key", b"sk"), (b"via", b"1.1 a, 2 b"), (b"via", b"1.0 c")])
    headers = upstream_headers(came, ANTHROPIC, None, "req_1", [], own_name=NAME)
    assert [v for n, v in headers if n == b"via"] == [b"1.1 a, 2 b, 1.0 c, " + NAME]


def test_the_operators_key_is_not_in_a_repr() -> None:
    assert "sk-op" not in repr(UpstreamKey("sk-op"))

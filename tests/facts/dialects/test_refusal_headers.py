"""When to come back, for every kind of refusal."""

import pytest

from gateway.facts.dialects.refusal_headers import refusal_headers
from gateway.facts.refusal import Refusal, RefusalKind
from tests.facts.dialects.answers import SECOND_US

STOP = {"x-should-retry": "false"}
SOON = {"retry-after": "1"}

ROWS = [
    (RefusalKind.RATE, 1, {"retry-after": "1", "retry-after-ms": "1"}),
    (RefusalKind.RATE, 0, {"retry-after": "1", "retry-after-ms": "1"}),
    (RefusalKind.RATE, 16_839_001, {"retry-after": "17", "retry-after-ms": "16840"}),
    (RefusalKind.RATE, 62 * SECOND_US, {"retry-after": "62", "retry-after-ms": "62000"}),
    (RefusalKind.RATE, 62 * SECOND_US + 1, {"retry-after": "63", **STOP}),
    (RefusalKind.RATE, 86_400 * SECOND_US, {"retry-after": "86400", **STOP}),
    (RefusalKind.RATE, None, STOP),
    (RefusalKind.CONCURRENCY, SECOND_US, SOON),
    (RefusalKind.CONCURRENCY, None, SOON),
    (RefusalKind.NEVER_FITS, None, STOP),
    (RefusalKind.NEVER_FITS, SECOND_US, STOP),
    (RefusalKind.BLOCKED, None, STOP),
    (RefusalKind.CHALLENGE, None, STOP),
    (RefusalKind.NO_CREDENTIAL, None, {**STOP, "www-authenticate": "Bearer"}),
    (RefusalKind.BAD_CREDENTIAL, None, {**STOP, "www-authenticate": "Bearer"}),
    (RefusalKind.UNKNOWN_ROUTE, None, STOP),
    (RefusalKind.METHOD_NOT_ALLOWED, None, {**STOP, "allow": "POST"}),
    (RefusalKind.MALFORMED, None, STOP),
    (RefusalKind.BODY_TOO_LARGE, None, STOP),
    (RefusalKind.STORE_UNAVAILABLE, SECOND_US, SOON),
    (RefusalKind.IDENTITY_UNAVAILABLE, SECOND_US, SOON),
    (RefusalKind.STORE_UNAVAILABLE, None, SOON),
    (RefusalKind.IDENTITY_UNAVAILABLE, None, SOON),
    (RefusalKind.OVERLOADED, None, SOON),
    (RefusalKind.UPSTREAM_UNREACHABLE, None, {}),
    (RefusalKind.UPSTREAM_TIMEOUT, None, {}),
    (RefusalKind.INTERNAL, None, {}),
]


@pytest.mark.parametrize(("kind", "wait_us", "expected"), ROWS)
@pytest.mark.parametrize("milliseconds", [True, False])
def test_a_refusal_tells_whether_and_when_to_come_back(
    kind: RefusalKind, wait_us: int | None, expected: dict[str, str], milliseconds: bool
) -> None:
    refusal = Refusal(kind, "message", wait_us, allow="POST")
    headers = refusal_headers(refusal, milliseconds=milliseconds)
    if not milliseconds:
        expected = {name: value for name, value in expected.items() if name != "retry-after-ms"}
    assert {name.decode(): value.decode() for name, value in headers} == expected
    assert len(headers) == len(expected)


def test_every_kind_has_a_row() -> None:
    assert {kind for kind, _, _ in ROWS} == set(RefusalKind)


@pytest.mark.parametrize("kind", RefusalKind)
@pytest.mark.parametrize("wait_us", [None, 0, 10**6, 10**8, 10**12])
def test_no_client_is_sent_to_sleep_for_long(kind: RefusalKind, wait_us: int | None) -> None:
    headers = dict(refusal_headers(Refusal(kind, "message", wait_us), milliseconds=True))
    if int(headers.get(b"retry-after", b"0")) > 62:
        assert headers[b"x-should-retry"] == b"false"
        assert b"retry-after-ms" not in headers

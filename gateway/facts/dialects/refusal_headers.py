"""Which headers tell an SDK whether to come back, and when.

SDKs obey them to the letter: two of those measured sleep for as long as `Retry-After` says, be it
hours, and one sleeps twice. So a long wait goes together with `x-should-retry: false`, which makes
them raise at once; whoever reads the error still sees the true wait.
"""

from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.rate_limit_fields import SECOND_US, whole_seconds
from gateway.facts.refusal import Refusal, RefusalKind

LONGEST_SLEEP_US = 62 * SECOND_US
"""The longest wait for which an SDK is left to sleep by itself: a limit of a minute that filled at
once, with the last 64th of its window, rounded up. Below this a client that bursts against a limit
of a minute recovers by itself."""

_WAITING_CURES_NOTHING = frozenset(
    {
        RefusalKind.NEVER_FITS,
        RefusalKind.BLOCKED,
        RefusalKind.CHALLENGE,
        RefusalKind.NO_CREDENTIAL,
        RefusalKind.BAD_CREDENTIAL,
        RefusalKind.UNKNOWN_ROUTE,
        RefusalKind.METHOD_NOT_ALLOWED,
        RefusalKind.MALFORMED,
        RefusalKind.BODY_TOO_LARGE,
    }
)

_UNFORESEEN_US = {
    RefusalKind.CONCURRENCY: SECOND_US,
    RefusalKind.STORE_UNAVAILABLE: SECOND_US,
    RefusalKind.IDENTITY_UNAVAILABLE: SECOND_US,
    RefusalKind.OVERLOADED: SECOND_US,
}
"""Where nobody knows how long, but soon."""

_DO_NOT_RETRY = (b"x-should-retry", b"false")


def refusal_headers(refusal: Refusal, *, milliseconds: bool) -> Headers:
    """`milliseconds`: the dialect knows `retry-after-ms`, which its SDKs prefer."""
    headers = _retry_headers(refusal, milliseconds=milliseconds)
    if refusal.kind is RefusalKind.METHOD_NOT_ALLOWED and refusal.allow is not None:
        headers.append((b"allow", refusal.allow.encode()))
    if refusal.kind in (RefusalKind.NO_CREDENTIAL, RefusalKind.BAD_CREDENTIAL):
        headers.append((b"www-authenticate", b"Bearer"))  # RFC 9110, section 15.5.2
    return headers


def _retry_headers(refusal: Refusal, *, milliseconds: bool) -> Headers:
    if refusal.kind in _WAITING_CURES_NOTHING:
        return [_DO_NOT_RETRY]
    wait_us = refusal.retry_after_us
    if wait_us is None:
        wait_us = _UNFORESEEN_US.get(refusal.kind)
    if wait_us is None:
        return [_DO_NOT_RETRY] if refusal.kind is RefusalKind.RATE else []
    headers = [(b"retry-after", b"%d" % max(1, whole_seconds(wait_us)))]
    if wait_us > LONGEST_SLEEP_US:
        headers.append(_DO_NOT_RETRY)
    elif milliseconds and refusal.kind is RefusalKind.RATE:
        headers.append((b"retry-after-ms", b"%d" % max(1, -(-wait_us // 1000))))
    return headers

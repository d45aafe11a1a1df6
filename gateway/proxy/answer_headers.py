"""The headers of an answer on their way back to the client."""

import re

from gateway.errors import UpstreamProtocolError
from gateway.facts.dialects.port import Headers
from gateway.proxy.request_headers import HOP_BY_HOP

REQUEST_IDS = frozenset((b"x-request-id", b"request-id"))

NOT_PASSED_ON = HOP_BY_HOP | REQUEST_IDS | {b"server", b"date", b"alt-svc", b"set-cookie"}
"""Ours take the place of the ids; the server writes the date; nobody needs to know the server;
`alt-svc` would show clients a way around the gateway, and a cookie is between the model API and the
operator, whose account it may name."""

LIMITS = (b"x-ratelimit-", b"anthropic-ratelimit-", b"ratelimit")
"""The upstream's own limits: those of the operator's account, not the caller's. When to come back
(`retry-after`, `x-should-retry`) is for the caller, and stays."""

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ID = re.compile(rb"[!-~]{1,200}")


def for_client(headers: Headers, *, ours: Headers, length_may_change: bool) -> Headers:
    """Repeats are kept, in order; `ours` come last.

    Raises `UpstreamProtocolError` for a name or value that could not be written.
    """
    named = {
        token.strip().lower()
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    }
    passed: Headers = []
    for name, value in headers:
        lower = name.lower()
        if not _NAME.fullmatch(lower) or _CONTROL.search(value):
            raise UpstreamProtocolError("a header that cannot be passed on", sent=True)
        if lower in NOT_PASSED_ON or lower in named or lower.startswith((b"proxy-", *LIMITS)):
            continue
        if length_may_change and lower == b"content-length":
            continue
        passed.append((lower, value))
    return passed + ours


def value_of(headers: Headers, wanted: bytes) -> bytes:
    """The first value, or nothing."""
    return next((value for name, value in headers if name.lower() == wanted), b"")


def upstream_request_id(headers: Headers) -> str | None:
    """For the trace: what the provider's support will ask for."""
    for name in REQUEST_IDS:
        value = value_of(headers, name)
        if _ID.fullmatch(value):
            return value.decode("ascii")
    return None

"""The one path and query that a request has: what is matched is what is forwarded.

A path that two servers could read in two ways is refused, not repaired (a plain proxy was seen to
forward `/v1/%2e%2e/admin` as `/admin`). What remains is compared byte by byte with the routes, so
another case or a trailing slash is another path.
"""

import re
from urllib.parse import unquote

from gateway.errors import MalformedRequest
from gateway.facts.exchange import Route
from gateway.proxy.asgi import Scope

# RFC 3986 pchar without `;`, whose parameters some servers cut off and others keep.
_SEGMENTS = re.compile(rb"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[2-7][0-9A-Fa-f])*)+")

# What an escape may not hide: a separator, a dot, another escape, the end of the path, DEL.
_HIDDEN = re.compile(rb"%(?:2[eEfF35]|3[bBfF]|5[cC]|7[fF])")

_QUERY = re.compile(rb"[!-~]*")

_CREDENTIALS = frozenset(
    ("key", "api_key", "api-key", "apikey", "access_token", "oauth_token", "token")
)
"""Parameters in which model APIs take a key; it would go on beside the operator's own."""


def raw_path(scope: Scope) -> bytes:
    """As it came over the wire.

    A server that has only decoded it gives that: what could have been an escape is then refused
    by `canonical_path` as a character that no path may have.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode(errors="replace")
    return raw


def canonical_path(raw_path: bytes) -> str:
    """Raises `MalformedRequest`, which quotes nothing of the path."""
    if not _SEGMENTS.fullmatch(raw_path) or _HIDDEN.search(raw_path):
        raise MalformedRequest(
            "The path must be absolute and plain: no control, non-ASCII, backslash, semicolon, and "
            "no escaped separator."
        )
    segments = raw_path.split(b"/")[1:]
    if b"" in segments[:-1]:
        raise MalformedRequest("The path has an empty segment.")
    if b"." in segments or b".." in segments:
        raise MalformedRequest("The path has a dot segment.")
    return raw_path.decode("ascii")


def canonical_query(query_string: bytes) -> bytes:
    """Forwarded as it is. Raises `MalformedRequest`."""
    if not _QUERY.fullmatch(query_string) or b"#" in query_string:
        raise MalformedRequest("The query must be printable ASCII.")
    for parameter in _parameters(query_string):
        name = unquote(_name(parameter)).lower().removeprefix("$")
        if name in _CREDENTIALS:
            raise MalformedRequest(
                f'The query has "{name}". A key in a URL ends in logs: send it in the header '
                "x-goog-api-key, x-api-key or authorization.",
                field=name,
            )
    return query_string


def demand_query(route: Route, query_string: bytes) -> None:
    """What the route takes, byte for byte. Raises `MalformedRequest`, which quotes nothing."""
    parameters = _parameters(query_string)
    demanded = route.demanded_query
    if demanded is not None and demanded not in parameters:
        raise MalformedRequest(
            f"{route.method} {route.path} is served with ?{demanded} alone: "
            "another form of its answer could not be metered.",
            field=demanded.partition("=")[0],
        )
    if route.query is None:
        return
    allowed = [*route.query, demanded] if demanded else list(route.query)
    if not all(parameter in allowed or _name(parameter) in allowed for parameter in parameters):
        raise MalformedRequest(
            "The query has a parameter that this route does not take; allowed: "
            f"{', '.join(allowed) or 'none'}."
        )


def _parameters(query_string: bytes) -> list[str]:
    return [part for part in query_string.decode("ascii").split("&") if part]


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]

"""What every Upstream does alike: frame the request, strip the answer's own hop."""

from collections.abc import Iterable

from gateway.errors import ClientLeft
from gateway.proxy.asgi import Receive

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset({  # RFC 9110, 7.6.1, and the Proxy-* family
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authentication-info",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",  # codespell:ignore te  # the field's name
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
})  # fmt: skip  # one a line
OURS = frozenset({b"host", b"content-length", b"transfer-encoding"})
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def whole_body(receive: Receive) -> bytes:
    """The request's body to its end. Raises `ClientLeft` if the client goes before that."""
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False):
        return first  # the usual case, without a copy
    pieces = [first]
    while message["type"] == "http.request":
        if not message.get("more_body", False):
            return b"".join(pieces)
        message = await receive()
        pieces.append(message.get("body", b""))
    raise ClientLeft("The client left before its request was complete.")


def request_headers(
    method: str, headers: Iterable[tuple[bytes, bytes]], authority: bytes, body_bytes: int
) -> Headers:
    """The fields as they are sent: `Host` first (RFC 9110, 7.2), theirs, then our framing."""
    framed = [(b"host", authority)]
    framed += [field for field in headers if field[0].lower() not in OURS]
    if body_bytes or method in METHODS_WITH_BODY:  # RFC 9110, 8.6: a zero is said where one asks
        framed.append((b"content-length", b"%d" % body_bytes))
    return framed


def answer_headers(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The answer's fields for ASGI: lower case, in order, without those of this hop."""
    headers = [(name.lower(), value) for name, value in raw]
    dropped = HOP_BY_HOP.union(
        word.strip().lower()
        for name, value in headers
        if name == b"connection"
        for word in value.split(b",")
    )
    return [field for field in headers if field[0] not in dropped]


def is_redirect(status: int) -> bool:
    """Of any kind: SDKs follow some by themselves, with their caller's key and around all quotas.

    304 alone leads nowhere.
    """
    return 300 <= status <= 399 and status != 304  # noqa: PLR2004  # RFC 9110, 15.4


def fault_of_head(status: int, raw: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Why this head cannot be passed on; None if it can.

    A final status outside 200-599 has no meaning (999 crashed uvicorn with httptools). A head with
    two framings is an attempt at response splitting or a broken peer (RFC 9112, 6.3).
    """
    if not 200 <= status <= 599:  # noqa: PLR2004  # the range of RFC 9110, 15
        return f"status {status}"
    names = {name.lower() for name, _ in raw}
    if b"transfer-encoding" in names and b"content-length" in names:
        return "both content-length and transfer-encoding"
    return None

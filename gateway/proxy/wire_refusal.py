"""What is told to who did not speak HTTP as we demand it, below any app and any dialect.

Short and fixed: nothing of what was sent is repeated. The connection ends with it, since nobody can
know where the next request would begin.
"""

import http
import json
from collections.abc import Iterable
from typing import Final

from gateway.errors import GaugerError

CODES: Final = {
    400: "malformed_request",
    408: "request_timeout",
    414: "uri_too_long",
    417: "expectation_failed",
    431: "headers_too_large",
    501: "method_not_implemented",
    505: "version_not_supported",
}


class Refused(GaugerError):
    """Whatever else comes on this connection is not read as HTTP. `status` is one of CODES."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def refusal_bytes(
    refused: Refused, *, to_head: bool, server_headers: Iterable[tuple[bytes, bytes]] = ()
) -> bytes:
    """A whole answer; without its body where the method was HEAD (RFC 9110, 9.3.2).

    The body has the shape that the OpenAI SDKs read; those of Anthropic show it as it is.
    """
    error = {
        "message": refused.message,
        "type": "invalid_request_error",
        "param": None,
        "code": CODES[refused.status],
    }
    body = json.dumps({"error": error}, separators=(",", ":")).encode()
    return _answer(refused.status, body, b"" if to_head else body, server_headers)


def options_bytes(server_headers: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """To `OPTIONS *`: that HTTP is spoken here (RFC 9110, 9.3.7)."""
    return _answer(200, b"", b"", server_headers)


def _answer(
    status: int, body: bytes, sent: bytes, server_headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    lines = [
        b"HTTP/1.1 %d %s" % (status, http.HTTPStatus(status).phrase.encode()),
        *(b"%s: %s" % pair for pair in server_headers),
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        b"connection: close",
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + sent

"""What a request's head must look like, so that nobody before or behind us reads another request.

Stricter than RFC 9112 where it lets a recipient choose: two parsers that choose differently are how
requests are smuggled. Nothing is repaired; what is not plain is refused.
"""

import re
from typing import Final

from gateway.facts.dialects.port import Headers
from gateway.proxy.wire_limits import WireLimits
from gateway.proxy.wire_refusal import Refused

CHUNKED: Final = -1
"""In place of a length."""

HEAD_END: Final = b"\r\n\r\n"

# RFC 9110, 5.6.2 (token) and 5.5 (field-value, with obs-text). The quantifiers are possessive, so
# that no head makes the match go back.
NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
FIELD = NAME + rb":[\t\x20-\x7e\x80-\xff]*+\r\n"

# One empty line may come before the request line: RFC 9112, 2.2.
_HEAD = re.compile(
    rb"(?:\r\n)?(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!\"$-~]*+|\*) HTTP/1\.([01])\r\n"
    rb"(?:" + FIELD + rb")*+\r\n"
)
_METHOD = re.compile(NAME)
_METHOD_SO_FAR = re.compile(rb"(?:\r\n?)?(?:" + NAME + rb")?(?: |\Z)")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_LONGEST_METHOD = 32
_REST_OF_LINE = len("  HTTP/1.1")

_LENGTH = re.compile(rb"0|[1-9][0-9]{0,17}")

# RFC 9112, 3.2: a name or address, and a port; neither user nor path.
_HOST = re.compile(rb"(?:[A-Za-z0-9\-._~]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

_ONCE = (
    b"host",
    b"content-length",
    b"transfer-encoding",
    b"content-encoding",
    b"expect",
)

# Some servers read an underscore as a hyphen.
_TWIN = re.compile(rb"\n(?:content_length|(?:content|transfer)_encoding):", re.IGNORECASE)

_UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)

# What can be said of a head before its end has come: no control, and no CR or LF without the other.
_NEVER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)|(?<!\r)\n")


RequestLine = tuple[bytes, bytes, bytes]
"""Method, target, minor version."""


def read_head(head: bytes, limits: WireLimits) -> RequestLine:
    """Of a whole head, its empty line included. Raises `Refused`."""
    match = _HEAD.fullmatch(head)
    if match is None:
        raise _fault(head, limits)
    method, target, minor_version = match.groups()
    if len(method) + len(target) + _REST_OF_LINE > limits.request_line_bytes:
        raise _long_line()
    if len(head) > limits.head_bytes:
        raise _large_head()
    if target == b"*" and method != b"OPTIONS":
        raise _wrong_target()
    if b"_" in head and _TWIN.search(head):
        raise Refused(400, "A framing header is spelt with an underscore.")
    return method, target, minor_version


def check_beginning(part: bytearray, new_from: int, limits: WireLimits) -> None:
    """Of a head that is not complete: what is wrong already is not waited for. Raises `Refused`.

    All lines are judged once for each line that comes, of which there are few, and the rest only
    where it is new: or a peer could have us read 64 KiB for each byte of its own.
    """
    if _NEVER.search(part, max(0, new_from - 1)):
        raise Refused(400, "A control character, or half a line ending, in the head.")
    if not _METHOD_SO_FAR.match(part):
        raise _malformed_line()
    lines_end = part.rfind(b"\r\n", max(0, new_from - 1))
    if lines_end > 0:
        if part.count(b"\n") > limits.header_fields + 2:  # the request line, an empty one before it
            raise _many_fields(limits)
        read_head(bytes(part[:lines_end]) + HEAD_END, limits)
    if len(part) > limits.request_line_bytes and part.find(b"\r\n", 2) < 0:
        raise _fault(bytes(part), limits)
    if len(part) > limits.head_bytes:
        raise _large_head()


def framing(fields: Headers, minor_version: bytes, limits: WireLimits) -> tuple[int, bool]:
    """How long the body is, or CHUNKED (RFC 9112, 6.3); whether 100 Continue is waited for.

    Names are lower-case. Raises `Refused`.
    """
    if len(fields) > limits.header_fields:
        raise _many_fields(limits)
    found = dict(fields)
    if len(found) != len(fields):
        _refuse_repeated(fields)
    host = found.get(b"host")
    if host is None or not _HOST.fullmatch(host):
        raise Refused(400, "Exactly one Host is needed: a name or an address, and a port.")
    expects = b"expect" in found and minor_version == b"1"  # RFC 9110, 10.1.1
    if expects and found[b"expect"].lower() != b"100-continue":
        raise Refused(417, "No expectation other than 100-continue is known.")
    if b"content-encoding" in found and b"chunked" in found[b"content-encoding"].lower():
        raise Refused(400, "chunked is no content-encoding.")
    length = found.get(b"content-length")
    if b"transfer-encoding" in found:
        _demand_chunked(found[b"transfer-encoding"], length, minor_version)
        return CHUNKED, expects
    if length is None:
        return 0, expects
    if not _LENGTH.fullmatch(length):
        raise Refused(400, "The content-length is not a length.")
    return int(length), expects


def without_upgrade(head: bytes) -> bytes:
    """RFC 9110, 7.8: a server may ignore the offer of another protocol.

    The parser would hand over what follows, a body too, to a protocol that nobody speaks: an app
    behind uvicorn was seen to get an empty body. Java's client offers h2c with every request.
    """
    return _UPGRADE.sub(b"", head)


def _demand_chunked(coding: bytes, length: bytes | None, minor_version: bytes) -> None:
    if length is not None:
        raise Refused(400, "Both content-length and transfer-encoding.")
    if minor_version == b"0":
        raise Refused(400, "HTTP/1.0 has no transfer-encoding.")
    if coding != b"chunked":
        raise Refused(400, "No transfer-encoding other than chunked is known.")


def _refuse_repeated(fields: Headers) -> None:
    names = [name for name, _ in fields]
    for name in _ONCE:
        if names.count(name) > 1:
            raise Refused(400, f"The header {name.decode()} appears twice.")


def _fault(head: bytes, limits: WireLimits) -> Refused:
    line = head.removeprefix(b"\r\n").partition(b"\r\n")[0]
    if not _HEAD.fullmatch(line + HEAD_END):
        return _fault_of_line(line, limits)
    if len(head) > limits.head_bytes:
        return _large_head()
    return Refused(400, "A header field is malformed.")


def _fault_of_line(line: bytes, limits: WireLimits) -> Refused:
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    if len(method) > _LONGEST_METHOD or not _METHOD.fullmatch(method):
        return _malformed_line()
    if len(line) > limits.request_line_bytes:
        return _long_line()
    if not _VERSION.fullmatch(version) or not target or b" " in target:
        return _malformed_line()
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        return Refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    known = _HEAD.fullmatch(method + b" / HTTP/1.1" + HEAD_END)
    return _wrong_target() if known else Refused(501, "The method is not known here.")


def _malformed_line() -> Refused:
    return Refused(400, "The request line is malformed.")


def _wrong_target() -> Refused:
    return Refused(400, "The request target must be a path, without fragment, scheme or host.")


def _long_line() -> Refused:
    return Refused(414, "The request line is too long.")


def _many_fields(limits: WireLimits) -> Refused:
    return Refused(431, f"There are more than {limits.header_fields} header fields.")


def _large_head() -> Refused:
    return Refused(431, "The header fields are too large.")

"""Where a chunked body ends, by the plain form of RFC 9112, 7.1 and no other.

The parser that decodes the body is more lenient, so it is not asked: it must agree. Chunk
extensions are refused (nobody here knows one, and readers differ on where they end), and so are
bodies that are nearly all framing.
"""

import re
from enum import Enum, auto
from typing import Final

from gateway.proxy.framing_rules import FIELD
from gateway.proxy.wire_limits import WireLimits
from gateway.proxy.wire_refusal import Refused

FORBIDDEN_TRAILERS: Final = frozenset(
    (
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-api-key",
    )
)
"""RFC 9110, 6.5.1: what frames, routes or identifies a request cannot come after it. All other
trailers are dropped."""

FREE_FRAMING_BYTES = 16 * 1024
FRAMING_PER_BYTE = 2
"""Go allows 16 KiB and 16 bytes a chunk more than half of a body (CVE-2023-39326)."""

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}\r\n")
_SIZE_SO_FAR = re.compile(rb"[0-9A-Fa-f]{0,8}\r?")
_END_SO_FAR = (b"", b"\r")
_FIELD = re.compile(FIELD)
_FIELD_SO_FAR = re.compile(rb"[^\x00-\x08\x0a-\x0c\x0e-\x1f\x7f\r]*+\r?")


class _Expects(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()


# One look-up each in the hot path.
_AT_SIZE, _IN_DATA = _Expects.SIZE, _Expects.DATA
_AT_DATA_END, _AT_TRAILER = _Expects.DATA_END, _Expects.TRAILER


class ChunkedBody:
    """`end_in` for each piece in its order, until one has the end."""

    __slots__ = ("_data_bytes", "_data_left", "_expects", "_fields", "_framing_bytes", "_line")

    def __init__(self) -> None:
        self._expects = _AT_SIZE
        self._line = b""
        self._data_left = 0
        self._data_bytes = 0
        self._framing_bytes = 0
        self._fields = 0

    def end_in(self, data: bytes, limits: WireLimits) -> int | None:
        """The index after the body's last byte, or None if it goes on. Raises `Refused`."""
        at = 0
        while at < len(data):
            if self._expects is _IN_DATA:
                at = self._pass_data(data, at)
                continue
            line_end = data.find(b"\n", at) + 1
            if not line_end:
                self._line += data[at:]
                self._check_beginning(limits)
                return None
            line = self._line + data[at:line_end]
            self._line = b""
            at = line_end
            if self._read(line, limits):
                return at
        return None

    def _pass_data(self, data: bytes, at: int) -> int:
        passed = min(self._data_left, len(data) - at)
        self._data_left -= passed
        self._data_bytes += passed
        if not self._data_left:
            self._expects = _AT_DATA_END
        return at + passed

    def _read(self, line: bytes, limits: WireLimits) -> bool:
        """True if this line ends the body."""
        self._framing_bytes += len(line)
        if self._expects is _AT_TRAILER:
            if line == b"\r\n":
                return True
            self._read_trailer(line, limits)
        elif self._expects is _AT_DATA_END:
            if line != b"\r\n":
                raise _malformed()
            self._expects = _AT_SIZE
        else:
            if not _SIZE.fullmatch(line):
                raise _malformed()
            self._data_left = int(line, 16)
            self._expects = _IN_DATA if self._data_left else _AT_TRAILER
            if self._framing_bytes > FREE_FRAMING_BYTES + FRAMING_PER_BYTE * self._data_bytes:
                raise Refused(400, "The chunks are too small.")
            if not self._data_left:
                self._framing_bytes = 0  # from here on those of the trailers
        return False

    def _read_trailer(self, line: bytes, limits: WireLimits) -> None:
        self._fields += 1
        if not _FIELD.fullmatch(line):
            raise Refused(400, "A trailer field is malformed.")
        if line.partition(b":")[0].lower() in FORBIDDEN_TRAILERS:
            raise Refused(400, "A trailer cannot frame, route or identify a request.")
        if self._fields > limits.header_fields or self._framing_bytes > limits.head_bytes:
            raise _large_trailers()

    def _check_beginning(self, limits: WireLimits) -> None:
        """What is wrong already is not waited for."""
        if self._expects is _AT_SIZE:
            fits = _SIZE_SO_FAR.fullmatch(self._line) is not None
        elif self._expects is _AT_DATA_END:
            fits = self._line in _END_SO_FAR
        else:
            if len(self._line) > limits.request_line_bytes:
                raise _large_trailers()
            fits = _FIELD_SO_FAR.fullmatch(self._line) is not None
        if not fits:
            raise _malformed()


def _malformed() -> Refused:
    return Refused(400, "The chunked body is malformed.")


def _large_trailers() -> Refused:
    return Refused(431, "The trailer fields are too large.")

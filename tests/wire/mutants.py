"""Requests that two parsers might read in two ways, made by rule: several hundred of each family.

Each is an exchange that is whole by one reading and hides a second request by another. It asks for
the end of the connection, so whoever reads it as one request answers once and closes.
"""

from collections.abc import Iterator
from itertools import product

from tests.wire.rows import AUTH, BODY, HOST, POST

HIDDEN = b"GET /v1/models?hidden=1 HTTP/1.1\r\n" + HOST + b"\r\n" + AUTH + b"\r\n\r\n"
CLOSE = b"Connection: close"
CHUNKED_BODY = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# What a parser may skip, strip, stop at or take for an end.
ODD = [bytes([code]) for code in (*range(0x21), 0x7F, 0x80, 0x85, 0xA0, 0xFF)]
ODD += [
    b"\r\n ",
    b"\r\n\t",
    b"\xe2\x80\xa8",
    b"\xc2\xa0",
    b'"',
    b"'",
    b",",
    b";",
    b":",
    b"\\",
    b"_",
]

NAMES = [
    b"Transfer-Encoding",
    b"transfer-encoding",
    b"TRANSFER-ENCODING",
    b"tRANSFER-eNCODING",
    b"Transfer_Encoding",
    b"Transfer.Encoding",
    b"Transfer Encoding",
    b"TransferEncoding",
    b"Transfer--Encoding",
    b"Transfer-Encodin\xc4\xa1",
    b"Transfer\xe2\x80\x90Encoding",
    b"X: y\rTransfer-Encoding",
    b"X: y\nTransfer-Encoding",
    b"X: y\r\r\nTransfer-Encoding",
    b"X: y\r\n\r\nTransfer-Encoding",
    b":Transfer-Encoding",
    b"Content-Encoding",
]
VALUES = [
    b"chunked",
    b"Chunked",
    b"CHUNKED",
    b"cHuNkEd",
    b"xchunked",
    b"chunkedx",
    b"chunke",
    b"chunk",
    b"identity",
    b"gzip",
    b"gzip, chunked",
    b"chunked, gzip",
    b"chunked, identity",
    b"identity, chunked",
    b"chunked, chunked",
    b"chunked chunked",
    b"chunked;q=0.5",
    b"chunked; ext",
    b"x=chunked",
    b"[chunked]",
    b"{chunked}",
    b"(chunked)",
    b"chunked(x)",
    b"c%68unked",
    b"",
    b"0",
    b"1",
    b"true",
    b"null",
]


def _framed(fields: tuple[bytes, ...], body: bytes) -> bytes:
    return b"\r\n".join((POST, HOST, AUTH, CLOSE, *fields)) + b"\r\n\r\n" + body


def coding_headers() -> Iterator[bytes]:
    """The coding's field alone, in every disguise."""
    yield from (b"%s: %s" % pair for pair in product(NAMES, VALUES))
    for odd in ODD:
        yield b"Transfer-Encoding: " + odd + b"chunked"
        yield b"Transfer-Encoding: chunked" + odd
        yield b"Transfer-Encoding:" + odd + b"chunked"
        yield b"Transfer-Encoding" + odd + b": chunked"
        yield odd + b"Transfer-Encoding: chunked"
        yield b"Transfer-Encoding" + odd + b"chunked"
        yield b"Transfer-" + odd + b"Encoding: chunked"
        yield b"Transfer-Encoding: chun" + odd + b"ked"
        yield b"X: y" + odd + b"Transfer-Encoding: chunked"


def length_beside_coding() -> Iterator[bytes]:
    """CL.TE and TE.CL: the length takes the hidden request in, the coding leaves it out."""
    whole = CHUNKED_BODY + HIDDEN
    length = b"Content-Length: %d" % len(whole)
    for coding in coding_headers():
        yield _framed((length, coding), whole)
        yield _framed((coding, length), whole)


def coding_without_length() -> Iterator[bytes]:
    """Without a length a coding that is not known means no body: then the chunks are requests."""
    for coding in coding_headers():
        yield _framed((coding,), CHUNKED_BODY)


def two_codings() -> Iterator[bytes]:
    """TE.TE: one of them is to be overlooked."""
    whole = CHUNKED_BODY + HIDDEN
    length = b"Content-Length: %d" % len(whole)
    for value in VALUES:
        other = b"Transfer-Encoding: " + value
        plain = b"Transfer-Encoding: chunked"
        yield _framed((plain, other), whole)
        yield _framed((other, plain), whole)
        yield _framed((length, plain, other), whole)


LENGTHS = [
    b"%d",
    b"+%d",
    b"-%d",
    b"0%d",
    b"0x%d",
    b"%d.0",
    b"%de0",
    b"%d,%d",
    b"%d, %d",
    b"%d %d",
    b"%d;%d",
    b'"%d"',
    b"%dL",
    b"1_%d",
    b"%d\r\nContent-Length: 0",
    b"0\r\nContent-Length: %d",
    b"%d\r\nContent_Length: 0",
]


def lengths() -> Iterator[bytes]:
    """CL.CL and lengths that are read as another number, or as none."""
    for form in LENGTHS:
        number = form % ((len(BODY),) * form.count(b"%d"))
        yield _framed((b"Content-Length: " + number,), BODY)
    for odd in ODD:
        for value in (odd + b"%d" % len(BODY), b"%d" % len(BODY) + odd, b"1" + odd + b"0"):
            yield _framed((b"Content-Length: " + value,), BODY)
        yield _framed((b"Content-Length" + odd + b": %d" % len(BODY),), BODY)
        yield _framed((odd + b"Content-Length: %d" % len(BODY),), BODY)


SIZES = [b"%x", b"%X", b"0%x", b"000%x", b"00000000%x", b"0x%x", b"+%x", b"-%x", b"%x;", b"%x;a"]
SIZES += [b"%x;a=b", b'%x;a="\r\n"', b"%x;a=b\nX", b"%x a", b"%x,", b"%x.0", b"%xg", b"ffffffff%x"]
SIZES += [b"ffffffffffffffff%x", b"%x%%", b"(%x)", b'"%x"', b"%x\x00", b"%x\r", b"%x\n", b"\\x%x"]
ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\n", b"\n\n", b"", b" \r\n", b"\x00\r\n"]


def chunks() -> Iterator[bytes]:
    """A body in chunks: sizes, line ends, what follows the data, the last chunk, the trailers."""
    coding = (b"Transfer-Encoding: chunked",)
    for form in SIZES:
        size = form.replace(b"%x", b"%x" % len(BODY), 1).replace(b"%X", b"%X" % len(BODY), 1)
        yield _framed(coding, b"%s\r\n%s\r\n0\r\n\r\n" % (size, BODY))
        last = form.replace(b"%x", b"0", 1).replace(b"%X", b"0", 1)
        yield _framed(coding, b"%x\r\n%s\r\n%s\r\n\r\n" % (len(BODY), BODY, last))
    for first, second, third, fourth in product(ENDS, repeat=4):
        if [first, second, third, fourth].count(b"\r\n") in (2, 3):
            body = b"%x%s%s%s0%s%s" % (len(BODY), first, BODY, second, third, fourth)
            yield _framed(coding, body)
    for odd in ODD:
        for size in (odd + b"%x" % len(BODY), b"%x" % len(BODY) + odd, b"1" + odd + b"0"):
            yield _framed(coding, b"%s\r\n%s\r\n0\r\n\r\n" % (size, BODY))
        yield _framed(coding, CHUNKED_BODY[:-2] + b"X" + odd + b": y\r\n\r\n")
        yield _framed(coding, CHUNKED_BODY[:-2] + odd + b"X: y\r\n\r\n")
        yield _framed(coding, CHUNKED_BODY[:-2] + b"X: y" + odd + b"\r\n\r\n")


def line_endings() -> Iterator[bytes]:
    """Each line of a head ended in each other way, with a second head behind the first."""
    lines = [POST, HOST, AUTH, CLOSE, b"Content-Length: %d" % len(BODY), b"X: y"]
    for at, end in product(range(len(lines) + 1), ENDS):
        ends = [b"\r\n"] * (len(lines) + 1)
        ends[at] = end
        head = b"".join(line + e for line, e in zip([*lines, b""], ends, strict=True))
        yield head + BODY
    for odd in ODD:
        yield odd + b"\r\n".join(lines) + b"\r\n\r\n" + BODY
        for at in range(len(lines)):
            changed = [*lines[:at], lines[at] + odd, *lines[at + 1 :]]
            yield b"\r\n".join(changed) + b"\r\n\r\n" + BODY


FAMILIES = {
    "a length beside a coding": length_beside_coding,
    "a coding without a length": coding_without_length,
    "two codings": two_codings,
    "lengths": lengths,
    "chunks": chunks,
    "line endings": line_endings,
}

"""The table: bytes in, what must come of them, and the rule that says so.

A row is refused by the server (`CLOSES`: one answer, then the end of the connection, and whatever
followed is not read), refused by the gateway (the request was well framed, so the connection goes
on), or accepted (`PASSES`: the model API saw exactly this request and nothing else).
"""

import json
from dataclasses import dataclass
from enum import Enum, auto

from tests.proxy.stage import KEY, QUESTION


class Then(Enum):
    CLOSES = auto()
    GOES_ON = auto()
    PASSES = auto()


@dataclass(frozen=True)
class Row:
    rule: str
    what: str
    raw: bytes
    status: int
    then: Then

    def __str__(self) -> str:
        return f"{self.what} [{self.rule}]"


BODY = json.dumps(QUESTION).encode()
POST = b"POST /v1/chat/completions HTTP/1.1"
GET = b"GET /v1/models HTTP/1.1"
HOST = b"Host: gauger.test"
AUTH = b"Authorization: Bearer " + KEY.encode()
LENGTH = b"Content-Length: %d" % len(BODY)
CODING = b"Transfer-Encoding: chunked"
PLAIN_CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def raw(line: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((line, HOST, AUTH, *fields)) + b"\r\n\r\n" + body


def get(*fields: bytes) -> bytes:
    return raw(GET, *fields)


def post(*fields: bytes, body: bytes = BODY) -> bytes:
    return raw(POST, *fields, body=body)


def chunks(body: bytes) -> bytes:
    return post(CODING, body=body)


def _refused(rule: str, status: int, *cases: tuple[str, bytes]) -> list[Row]:
    return [Row(rule, what, data, status, Then.CLOSES) for what, data in cases]


def _left_to_the_gateway(rule: str, status: int, *cases: tuple[str, bytes]) -> list[Row]:
    return [Row(rule, what, data, status, Then.GOES_ON) for what, data in cases]


def _passes(rule: str, *cases: tuple[str, bytes]) -> list[Row]:
    return [Row(rule, what, data, 200, Then.PASSES) for what, data in cases]


def _line(line: bytes) -> bytes:
    return raw(line)


REQUEST_LINES = [
    *_passes(
        "RFC 9112 3",
        ("a path", get()),
        ("a path and a query", _line(b"GET /v1/models?limit=2 HTTP/1.1")),
        ("an empty line before (2.2)", b"\r\n" + get()),
    ),
    *_refused(
        "RFC 9112 3",
        400,
        ("two empty lines before (2.2)", b"\r\n\r\n" + get()),
        ("a space before the method", b" " + get()),
        ("two spaces", _line(b"GET  /v1/models HTTP/1.1")),
        ("a tab", _line(b"GET\t/v1/models HTTP/1.1")),
        ("a space at the end", _line(b"GET /v1/models HTTP/1.1 ")),
        ("a space in the target", _line(b"GET /v1/models x HTTP/1.1")),
        ("no target", _line(b"GET HTTP/1.1")),
        ("no version: HTTP/0.9", b"GET /v1/models\r\n\r\n"),
        ("a method of 100 kB", _line(b"A" * 100_000 + b" / HTTP/1.1")),
        ("NUL in the target", _line(b"GET /v1/\x00models HTTP/1.1")),
        ("no ASCII in the target", _line(b"GET /v1/mod\xc3\xa9ls HTTP/1.1")),
        (
            "TLS to a port of plain HTTP",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 99,
        ),
    ),
    *_refused(
        "RFC 9112 2.3",
        400,
        ("HTTP/1", _line(b"GET /v1/models HTTP/1")),
        ("HTTP/01.1", _line(b"GET /v1/models HTTP/01.1")),
        ("HTTP/1.10", _line(b"GET /v1/models HTTP/1.10")),
        ("http/1.1", _line(b"GET /v1/models http/1.1")),
        ("HTTP/ 1.1", _line(b"GET /v1/models HTTP/ 1.1")),
    ),
    *_refused(
        "RFC 9110 15.6.6",
        505,
        ("HTTP/0.9", _line(b"GET /v1/models HTTP/0.9")),
        ("HTTP/1.2", _line(b"GET /v1/models HTTP/1.2")),
        ("HTTP/2.0", _line(b"GET /v1/models HTTP/2.0")),
        ("the preface of HTTP/2 (RFC 9113 3.4)", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ),
    *_refused(
        "RFC 9110 9.1",
        501,
        ("get", _line(b"get /v1/models HTTP/1.1")),
        ("an unknown method", _line(b"GETT /v1/models HTTP/1.1")),
        ("CONNECT (9.3.6)", _line(b"CONNECT gauger.test:443 HTTP/1.1")),
        ("TRACE (9.3.8)", _line(b"TRACE /v1/models HTTP/1.1")),
    ),
    *_refused(
        "RFC 9112 3.2",
        400,
        ("absolute form", _line(b"GET http://gauger.test/v1/models HTTP/1.1")),
        ("absolute form of another host", _line(b"GET http://evil.test/v1/models HTTP/1.1")),
        ("authority form", _line(b"GET gauger.test:80 HTTP/1.1")),
        ("no slash", _line(b"GET v1/models HTTP/1.1")),
        ("GET *", _line(b"GET * HTTP/1.1")),
        ("a fragment (CVE-2023-45539)", _line(b"GET /v1/models#/admin HTTP/1.1")),
    ),
    *_refused("RFC 9110 9.3.7", 200, ("OPTIONS *", _line(b"OPTIONS * HTTP/1.1"))),
    *_refused(
        "RFC 9110 15.5.15",
        414,
        ("a target of 100 kB", _line(b"GET /" + b"a" * 100_000 + b" HTTP/1.1")),
        ("a target of 9 kB", _line(b"GET /" + b"a" * 9_000 + b" HTTP/1.1")),
    ),
]

LINE_ENDINGS = [
    *_refused(
        "RFC 9112 2.2",
        400,
        ("LF after the request line", get().replace(b"\r\n", b"\n", 1)),
        ("LF after a field (CVE-2022-32214)", get().replace(b"test\r\n", b"test\n")),
        ("LF at the end", get()[:-4] + b"\n\n"),
        ("LF CRLF at the end", get()[:-4] + b"\n\r\n"),
        ("LF everywhere", get().replace(b"\r\n", b"\n")),
        ("CR after the request line", get().replace(b"\r\n", b"\r", 1)),
        ("CR after a field (CVE-2023-30589)", get(b"X: a\rTransfer-Encoding: chunked")),
        ("CR CR LF", get().replace(b"\r\n", b"\r\r\n", 1)),
        ("LF CR", get().replace(b"\r\n", b"\n\r", 1)),
        ("CR everywhere", get().replace(b"\r\n", b"\r")),
    ),
]

FIELDS = [
    *_refused(
        "RFC 9112 5.1",
        400,
        ("a space before the colon (CVE-2019-16276)", get(b"X-Kept : a")),
        ("a space before a framing colon", post(b"Content-Length : %d" % len(BODY))),
        ("a tab before the colon", get(b"X-Kept\t: a")),
        ("no colon", get(b"X-Kept")),
        ("no name (CVE-2023-25725)", get(b": a")),
        ("a bracket in a name", get(b"X[Kept: a")),
        ("a CR in a name (CVE-2020-8201)", get(b"Transfer\rEncoding: chunked")),
        ("no ASCII in a name", get(b"X-K\xc3\xa9pt: a")),
        ("NUL in a name", get(b"X\x00Kept: a")),
    ),
    *_refused(
        "RFC 9112 5.2",
        400,
        ("a folded line", get(b"X-Kept: a\r\n b")),
        ("a line folded by a tab", get(b"X-Kept: a\r\n\tb")),
        ("a folded coding (CVE-2022-32215)", post(b"Transfer-Encoding:\r\n chunked", LENGTH)),
        ("a space before the first field (2.2)", raw(GET + b"\r\n X: a")),
    ),
    *_refused(
        "RFC 9110 5.5",
        400,
        ("NUL in a value", get(b"X-Kept: a\x00b")),
        ("CR in a value", get(b"X-Kept: a\rb")),
        ("BEL in a value", get(b"X-Kept: a\x07b")),
        ("DEL in a value", get(b"X-Kept: a\x7fb")),
        ("a vertical tab in a value", get(b"X-Kept: a\x0bb")),
    ),
    *_passes(
        "RFC 9110 5.5",
        ("an empty value", get(b"X-Kept:")),
        ("spaces around a value", get(b"X-Kept: \t a ")),
        ("obs-text in a value", get(b"X-Kept: caf\xe9")),
        ("100 fields", get(*(b"X-%d: a" % n for n in range(98)))),
    ),
    *_refused(
        "RFC 6585 5",
        431,
        ("101 fields", get(*(b"X-%d: a" % n for n in range(99)))),
        ("10,000 fields", get(*(b"X-%d: a" % n for n in range(10_000)))),
        ("a value of 100 kB (CVE-2018-12121)", get(b"X: " + b"a" * 100_000)),
        ("a name of 100 kB (CVE-2021-40346)", get(b"X" * 100_000 + b": a")),
    ),
]

HOSTS = [
    *_passes(
        "RFC 9112 3.2",
        ("a name and a port", get().replace(b"gauger.test", b"gauger.test:8080")),
        ("an address", get().replace(b"gauger.test", b"127.0.0.1")),
        ("a v6 address and a port", get().replace(b"gauger.test", b"[::1]:8080")),
    ),
    *_refused(
        "RFC 9112 3.2",
        400,
        ("no Host", get().replace(HOST + b"\r\n", b"")),
        ("two Hosts", get(b"Host: other.test")),
        ("the same Host twice", get(HOST)),
        ("an empty Host", get().replace(b"gauger.test", b"")),
        ("a list", get().replace(b"gauger.test", b"gauger.test, other.test")),
        ("a user", get().replace(b"gauger.test", b"user@gauger.test")),
        ("a path", get().replace(b"gauger.test", b"gauger.test/v1")),
        ("a scheme", get().replace(b"gauger.test", b"http://gauger.test")),
        ("a port that is none", get().replace(b"gauger.test", b"gauger.test:x")),
        ("a v6 address without brackets", get().replace(b"gauger.test", b"::1")),
        ("a space", get().replace(b"gauger.test", b"gauger test")),
    ),
]


def _length(value: bytes) -> bytes:
    return post(b"Content-Length: " + value)


LENGTHS = [
    *_passes(
        "RFC 9112 6.2", ("a length", post(LENGTH)), ("no space", post(LENGTH.replace(b" ", b"")))
    ),
    *_refused(
        "RFC 9112 6.3",
        400,
        ("two lengths", post(LENGTH, b"Content-Length: 5")),
        ("the same length twice", post(LENGTH, LENGTH)),
        ("a list of one length twice", _length(b"%d, %d" % (len(BODY), len(BODY)))),
        ("a plus (CVE-2021-32715)", _length(b"+%d" % len(BODY))),
        ("a minus", _length(b"-%d" % len(BODY))),
        ("hexadecimal", _length(b"0x%x" % len(BODY))),
        ("leading zeros", _length(b"00%d" % len(BODY))),
        ("no digits (CVE-2023-40225)", _length(b"")),
        ("a space inside (CVE-2018-7159)", _length(b"1 0")),
        ("a tab after it", _length(b"%d\t" % len(BODY))),
        ("an underscore inside", _length(b"1_0")),
        ("a decimal point", _length(b"%d.0" % len(BODY))),
        ("an exponent", _length(b"1e2")),
        ("20 digits", _length(b"9" * 20)),
        ("a digit that is not ASCII", _length(b"\xd9\xa3")),
        ("two, of which one by an underscore", post(LENGTH, b"Content_Length: 5")),
    ),
]


def _coding(value: bytes, *more: bytes) -> bytes:
    return post(b"Transfer-Encoding: " + value, *more, body=PLAIN_CHUNKS)


CODINGS = [
    *_passes(
        "RFC 9112 6.1",
        ("chunked", chunks(PLAIN_CHUNKS)),
        ("spaces before it", _coding(b"  chunked")),
    ),
    *_refused(
        "RFC 9112 6.1",
        400,
        ("both, the length first", post(LENGTH, CODING, body=PLAIN_CHUNKS)),
        ("both, the coding first (CVE-2022-1705)", post(CODING, LENGTH, body=PLAIN_CHUNKS)),
        ("chunked twice", _coding(b"chunked, chunked")),
        ("two codings (CVE-2020-8287)", _coding(b"chunked", CODING)),
        ("two of which one is unknown", _coding(b"chunked", b"Transfer-Encoding: x")),
        ("gzip, chunked", _coding(b"gzip, chunked")),
        ("chunked, identity (CVE-2024-1135)", _coding(b"chunked, identity")),
        ("identity", _coding(b"identity")),
        ("no coding", _coding(b"")),
        ("xchunked", _coding(b"xchunked")),
        ("Chunked", _coding(b"Chunked")),
        ("quoted", _coding(b'"chunked"')),
        ("a parameter", _coding(b"chunked;q=1")),
        ("a space after it", _coding(b"chunked ")),
        ("a vertical tab before it (CVE-2019-18277)", _coding(b"\x0bchunked")),
        ("a comma before it", _coding(b", chunked")),
        ("in HTTP/1.0", chunks(PLAIN_CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0")),
        ("by an underscore", post(LENGTH, b"Transfer_Encoding: chunked")),
        ("as a content-encoding", post(LENGTH, b"Content-Encoding: chunked")),
    ),
]

CHUNKS = [
    *_passes(
        "RFC 9112 7.1",
        ("upper-case digits", chunks(b"%X\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))),
        ("two chunks", chunks(b"1\r\n{\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 1, BODY[1:]))),
        ("a last chunk of more zeros", chunks(PLAIN_CHUNKS.replace(b"\r\n0\r\n", b"\r\n000\r\n"))),
        ("a trailer, which is dropped (7.1.2)", chunks(PLAIN_CHUNKS[:-2] + b"X-Sum: 1\r\n\r\n")),
    ),
    *_refused(
        "RFC 9112 7.1",
        400,
        ("an extension (CVE-2021-22960)", chunks(b"%x;a=b\r\n" % len(BODY) + BODY)),
        ("an endless extension (CVE-2023-39326)", chunks(b"1;" + b"a" * 100_000)),
        ("a space after the size", chunks(b"%x \r\n" % len(BODY) + BODY)),
        ("a space before the size", chunks(b" %x\r\n" % len(BODY) + BODY)),
        ("a plus", chunks(b"+%x\r\n" % len(BODY) + BODY)),
        ("a minus", chunks(b"-%x\r\n" % len(BODY) + BODY)),
        ("0x", chunks(b"0x%x\r\n" % len(BODY) + BODY)),
        ("an underscore", chunks(b"1_0\r\n" + BODY)),
        ("no digits", chunks(b"\r\n" + BODY)),
        ("no hexadecimal", chunks(b"xyz\r\n" + BODY)),
        ("17 digits (CVE-2021-32714)", chunks(b"f" * 17 + b"\r\n" + BODY)),
        ("leading zeros beyond 8 digits", chunks(b"%09x\r\n" % len(BODY) + BODY)),
        ("LF after the size (CVE-2025-22871)", chunks(b"%x\n" % len(BODY) + BODY)),
        ("CR after the size", chunks(b"%x\r" % len(BODY) + BODY)),
        ("LF after the data", chunks(b"%x\r\n%s\n0\r\n\r\n" % (len(BODY), BODY))),
        ("no end after the data", chunks(b"%x\r\n%s0\r\n\r\n" % (len(BODY), BODY))),
        (
            "two other bytes after the data (CVE-2025-43859)",
            chunks(PLAIN_CHUNKS.replace(b"\r\n0", b"xx0")),
        ),
        ("more data than said", chunks(b"5\r\n" + BODY + b"\r\n0\r\n\r\n")),
        ("chunks of one byte, 20,000 of them", chunks(b"1\r\n \r\n" * 20_000)),
    ),
    *_refused(
        "RFC 9110 6.5.1",
        400,
        ("a length as a trailer", chunks(PLAIN_CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n")),
        ("a credential as a trailer", chunks(PLAIN_CHUNKS[:-2] + AUTH + b"\r\n\r\n")),
        ("a Host as a trailer", chunks(PLAIN_CHUNKS[:-2] + HOST + b"\r\n\r\n")),
        ("a trailer with a space before its colon", chunks(PLAIN_CHUNKS[:-2] + b"X : 1\r\n\r\n")),
        ("a folded trailer", chunks(PLAIN_CHUNKS[:-2] + b"X: 1\r\n 2\r\n\r\n")),
        ("LF after a trailer", chunks(PLAIN_CHUNKS[:-2] + b"X: 1\n\r\n")),
        ("LF as the end", chunks(PLAIN_CHUNKS[:-2] + b"\n")),
    ),
    *_refused(
        "RFC 6585 5",
        431,
        ("101 trailers", chunks(PLAIN_CHUNKS[:-2] + b"X: 1\r\n" * 101)),
        ("a trailer of 100 kB", chunks(PLAIN_CHUNKS[:-2] + b"X: " + b"a" * 100_000)),
    ),
]

EXPECTATIONS = [
    *_refused(
        "RFC 9110 10.1.1",
        417,
        ("another expectation", get(b"Expect: 200-ok")),
        ("one more than 100-continue", post(LENGTH, b"Expect: 100-continue, x")),
    ),
    *_refused(
        "RFC 9110 10.1.1",
        400,
        ("two", post(LENGTH, b"Expect: 100-continue", b"Expect: 100-continue")),
    ),
]

UPGRADES = _passes(
    "RFC 9110 7.8",
    (
        "h2c, as Java's client offers it",
        get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"),
    ),
    ("h2c with a body, which is not lost", post(b"Connection: Upgrade", b"uPGRADE: h2c", LENGTH)),
    ("a socket", get(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")),
)

CANONICAL = [
    *_left_to_the_gateway(
        "threats 3",
        400,
        ("an escaped dot segment", _line(b"GET /v1/%2e%2e/models HTTP/1.1")),
        ("a dot segment", _line(b"GET /v1/./models HTTP/1.1")),
        ("an empty segment", _line(b"GET //v1/models HTTP/1.1")),
        ("an escaped slash", _line(b"GET /v1%2fmodels HTTP/1.1")),
        ("a backslash", _line(b"GET /v1\\models HTTP/1.1")),
        ("a parameter", _line(b"GET /v1;a=b/models HTTP/1.1")),
        ("an escape of an escape", _line(b"GET /v1/%252e/models HTTP/1.1")),
        ("an escaped NUL", _line(b"GET /v1/models%00 HTTP/1.1")),
    ),
    *_left_to_the_gateway(
        "threats 3",
        404,
        ("another case", _line(b"GET /v1/Models HTTP/1.1")),
        ("a slash at the end", _line(b"GET /v1/models/ HTTP/1.1")),
        ("a route nobody declared", _line(b"GET /admin HTTP/1.1")),
    ),
    *_refused(  # by the gateway, which closes where it has read no body
        "threats 3",
        400,
        ("two credentials", get(b"Authorization: Bearer sk-other")),
        ("a credential by an underscore", get(b"x_api_key: sk-other")),
        ("a credential named by Connection", get(b"Connection: authorization")),
        ("a body for GET", raw(GET, b"Content-Length: 5", body=b"hello")),
        ("an encoded body", post(LENGTH, b"Content-Encoding: gzip")),
    ),
]

ROWS = [
    *REQUEST_LINES,
    *LINE_ENDINGS,
    *FIELDS,
    *HOSTS,
    *LENGTHS,
    *CODINGS,
    *CHUNKS,
    *EXPECTATIONS,
    *UPGRADES,
    *CANONICAL,
]

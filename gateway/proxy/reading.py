"""Who reads an answer as it passes: a stream's watch, a copy of a plain answer, or nobody."""

from typing import Protocol

from gateway.facts.dialects.port import Answered, Dialect, Headers
from gateway.facts.estimate import BYTES_PER_TOKEN
from gateway.facts.exchange import Ask, Route
from gateway.proxy.answer_headers import value_of

_NOTHING = Answered()

_MEDIA = (b"audio/", b"image/", b"video/")
"""Their bytes are not text, so they tell of no tokens."""


class Reader(Protocol):
    def feed(self, data: bytes) -> bytes:
        """What may go on to the client of what came from upstream."""
        ...

    def finish(self) -> bytes: ...

    @property
    def answered(self) -> Answered: ...

    @property
    def output_tokens_seen(self) -> int:
        """That of `answered`, as far as it can be told while the answer passes."""
        ...


class Unread:
    """Passes everything on. What the model wrote stays unknown."""

    answered = _NOTHING
    output_tokens_seen = 0

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class WholeAnswer:
    """Keeps a bounded copy while the bytes go on at once; reads it when it is asked for."""

    def __init__(self, dialect: Dialect, route: Route, status: int, cap_bytes: int) -> None:
        self._dialect = dialect
        self._route = route
        self._status = status
        self._cap_bytes = cap_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._read: Answered | None = None

    @property
    def overflowed(self) -> bool:
        return self._size > self._cap_bytes

    def feed(self, data: bytes) -> bytes:
        self._size += len(data)
        if self.overflowed:
            self._pieces.clear()
        else:
            self._pieces.append(data)
        return data

    def finish(self) -> bytes:
        return b""

    @property
    def answered(self) -> Answered:
        if self.overflowed:
            return _NOTHING
        if self._read is None:
            body = b"".join(self._pieces)
            self._pieces.clear()
            self._read = self._dialect.read_answer(self._route, self._status, body)
        return self._read

    @property
    def output_tokens_seen(self) -> int:
        return self.answered.output_tokens_seen

    @property
    def bytes_as_tokens(self) -> int:
        """The estimate for a document that broke off: it cannot be read as what it was to be."""
        return self._size // BYTES_PER_TOKEN


def is_event_stream(headers: Headers) -> bool:
    return _content_type(headers) == b"text/event-stream"


def _content_type(headers: Headers) -> bytes:
    return value_of(headers, b"content-type").split(b";")[0].strip().lower()


def passes_as_events(ask: Ask, status: int, headers: Headers) -> bool:
    """It says so, or does not say what it is and a stream was asked for."""
    if is_event_stream(headers):
        return True
    content_type = _content_type(headers)
    told = content_type == b"application/json" or content_type.endswith(b"+json")
    unsaid = not told and not content_type.startswith(_MEDIA)
    return ask.stream and 200 <= status < 300 and unsaid  # noqa: PLR2004  HTTP's own bounds


def reader_for(
    dialect: Dialect, route: Route, ask: Ask, *, status: int, headers: Headers, cap_bytes: int
) -> Reader:
    encoding = value_of(headers, b"content-encoding").strip().lower()
    media = _content_type(headers).startswith(_MEDIA)
    if not route.generates or media or encoding not in (b"", b"identity"):
        return Unread()
    if passes_as_events(ask, status, headers):
        return dialect.watch_stream(route, ask)
    return WholeAnswer(dialect, route, status, cap_bytes)

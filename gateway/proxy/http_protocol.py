"""HTTP/1 as gauger's server speaks it: uvicorn's httptools protocol with a door in front.

Each head is judged as the bytes that came, and only a head without two meanings is given to the
parser. Where a body ends is decided here; the parser, which decides for itself, must agree.

One request of a connection is open at a time. What is pipelined behind it waits unparsed, so
answers come in order, a disconnect has one exchange to tell, and the peer can only fill a small
buffer. Deadlines are kept by one timer: see `deadlines`.
"""

import asyncio
from enum import Enum, auto
from typing import Any, ClassVar

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.proxy.chunked_body import ChunkedBody
from gateway.proxy.deadlines import Deadline
from gateway.proxy.framing_rules import (
    CHUNKED,
    HEAD_END,
    check_beginning,
    framing,
    read_head,
    without_upgrade,
)
from gateway.proxy.wire_limits import WireLimits
from gateway.proxy.wire_refusal import Refused, options_bytes, refusal_bytes


class _Phase(Enum):
    HEAD = auto()
    """Between requests, or within a head."""
    BODY = auto()
    ANSWER = auto()
    """The request is complete, its answer is not."""
    END = auto()
    """Nothing is read as HTTP any more."""


# One look-up each in the hot path.
_HEAD, _BODY, _ANSWER, _END = _Phase.HEAD, _Phase.BODY, _Phase.ANSWER, _Phase.END

_TOO_SLOW = 408


class _AnswerSide:
    """The transport as an answer sees it: its close is the connection's end, kindly."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, protocol: "StrictHttp", transport: asyncio.Transport) -> None:
        self.write = transport.write
        self.close = protocol.end
        self.is_closing = protocol.has_ended


class StrictHttp(HttpToolsProtocol):
    """`strict_http(limits)` makes the class that `uvicorn.Config(http=...)` takes."""

    limits: ClassVar[WireLimits] = WireLimits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._phase = _HEAD
        self._part = bytearray()
        """Of a head that is not complete; of what was pipelined."""
        self._method = self._target = self._minor_version = b""
        self._spaces_after = False
        self._body_left = 0
        """In bytes, or CHUNKED."""
        self._chunks = ChunkedBody()
        self._paced = False
        self._span_bytes = 0
        """What came of the body in the present span."""
        self._parsed_to_end = False
        self._fault: Refused | None = None
        self._ran_ahead = False
        self._dropped_bytes = 0
        self._flushing = False
        self._deadline = Deadline(self.loop, self._deadline_passed)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.limits.write_buffer_bytes)
        self._real_transport = transport
        self.transport = _AnswerSide(self, transport)  # type: ignore[assignment]
        self._deadline.set(self.limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._phase = _END
        self._deadline.stop()
        self._part.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            while data:
                if self._phase is _HEAD:
                    data = self._read_head(data)
                elif self._phase is _BODY:
                    data = self._read_body(data)
                else:
                    self._put_aside(data)
                    return
        except Refused as refused:
            self._refuse(refused)
            return
        if self._phase is _BODY and not self._paced:
            self._paced = True  # not before: most bodies come with their head
            self._deadline.set(self.limits.body_span_s)

    # What the parser found. It is told nothing that was not judged before.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # it is told again, without the offer
        try:
            self._body_left, expects = framing(self.headers, self._minor_version, self.limits)
        except Refused as refused:
            self._fault = refused  # raised here it would pass through the parser
            return
        if self._spaces_after:  # RFC 9110, 5.5: not part of a value; the parser leaves them
            self.headers[:] = [(name, value.rstrip(b" \t")) for name, value in self.headers]
        if self._target != b"*":
            self.expect_100_continue = expects
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._parsed_to_end = True

    # What the answer's side tells.

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self._phase is _END:
            return
        if self._phase is _BODY:  # the rest of the body stands in the way of another request
            self.end()
            return
        self._phase = _HEAD
        self._deadline.set(self.limits.idle_s)
        self.flow.resume_reading()
        if self._part:
            pipelined = bytes(self._part)
            self._part.clear()
            self.data_received(pipelined)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._phase is _ANSWER:
            self._deadline.set(self.limits.stall_s)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._phase is _ANSWER:
            self._deadline.clear()

    def has_ended(self) -> bool:
        return self._phase is _END or self._real_transport.is_closing()

    def end(self) -> None:
        """Close once all that was written has gone out."""
        self._leave(linger=self._phase is not _HEAD)

    def abort(self) -> None:
        """At once, whatever is still to be sent."""
        self._real_transport.abort()

    # What came, in pieces as the network has cut it.

    def _read_head(self, data: bytes) -> bytes:
        """What follows the head; nothing if it is not complete."""
        part = self._part
        if not part:
            end = data.find(HEAD_END, 2)  # not where an empty line comes first
            if end >= 0:
                end += len(HEAD_END)
                self._begin(data[:end])
                return data[end:]
            if self.cycle is not None:  # the first head has its time from the connect
                self._deadline.set(self.limits.head_s)
        searched = len(part)
        part += data
        end = part.find(HEAD_END, max(2, searched - len(HEAD_END)))
        if end < 0:
            check_beginning(part, searched, self.limits)
            return b""
        end += len(HEAD_END)
        head, rest = bytes(part[:end]), bytes(part[end:])
        part.clear()
        self._begin(head)
        return rest

    def _begin(self, head: bytes) -> None:
        self._method = b""
        self._method, self._target, self._minor_version = read_head(head, self.limits)
        self._spaces_after = b" \r\n" in head or b"\t\r\n" in head
        self._parsed_to_end = False
        try:
            self.parser.feed_data(head)
        except HttpParserUpgrade:
            self._parsed_to_end = False
            self._feed(without_upgrade(head))
        except HttpParserError as error:
            raise _unreadable() from error
        if self._fault is not None:
            raise self._fault
        if self._target == b"*":
            self._answer_options()
        elif self._body_left:
            self._expect_body()
        else:
            self._complete()

    def _answer_options(self) -> None:
        if self._body_left:
            raise Refused(400, "OPTIONS takes no body here.")
        self._real_transport.write(options_bytes(self.server_state.default_headers))
        self.end()

    def _expect_body(self) -> None:
        if self._body_left == CHUNKED:
            self._chunks = ChunkedBody()
            self.headers = []  # for the trailers, which uvicorn would add to those of the request
        self._phase = _BODY
        self._paced = False
        self._span_bytes = 0

    def _read_body(self, data: bytes) -> bytes:
        """What follows the body; nothing if it goes on."""
        if self._body_left == CHUNKED:
            end = self._chunks.end_in(data, self.limits)
        else:
            end = self._body_left if self._body_left <= len(data) else None
        ours = data if end is None else data[:end]
        self._feed(ours)
        if end is not None:
            self._complete()
            return data[end:]
        if self._parsed_to_end:
            raise _unreadable()
        if self._body_left != CHUNKED:
            self._body_left -= len(data)
        self._span_bytes += len(data)
        return b""

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            raise _unreadable() from error

    def _complete(self) -> None:
        if not self._parsed_to_end:
            raise _unreadable()
        self._phase = _ANSWER
        if self.flow.write_paused:
            self._deadline.set(self.limits.stall_s)
        else:
            self._deadline.clear()
        self.cycle.more_body = False
        self.cycle.message_event.set()

    def _put_aside(self, data: bytes) -> None:
        if self._phase is _END:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > self.limits.linger_bytes:
                self.flow.pause_reading()
        elif not self._ran_ahead:
            self._part += data
            if len(self._part) > self.limits.pipelined_bytes:
                self._part.clear()
                self._ran_ahead = True
                self.cycle.keep_alive = False

    # How it ends.

    def _refuse(self, refused: Refused) -> None:
        if self._answer_is_due():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self._phase = _END
                self.abort()
                return
        answer = refusal_bytes(
            refused,
            to_head=self._method == b"HEAD",
            server_headers=self.server_state.default_headers,
        )
        self._real_transport.write(answer)
        self._leave(linger=refused.status != _TOO_SLOW)

    def _answer_is_due(self) -> bool:
        if self.cycle is None:
            return False
        return not self.cycle.response_complete

    def _leave(self, *, linger: bool) -> None:
        """Lingering is to listen for a moment (RFC 9112, 9.6).

        Else the reset that answers the bytes of a peer that is still sending would overtake what
        was told it.
        """
        if self._phase is _END:
            return
        still_sending = self._phase is not _ANSWER or self._ran_ahead
        self._phase = _END
        self._part.clear()
        transport = self._real_transport
        if transport.is_closing():
            return
        if linger and transport.can_write_eof():
            transport.write_eof()
        elif not (linger and still_sending):  # TLS cannot say that it has ended without ending
            transport.close()
            self._deadline.set(self.limits.stall_s)
            return
        self.flow.resume_reading()
        self._deadline.set(self.limits.linger_s)

    def _deadline_passed(self) -> None:
        if self._phase is _BODY:
            self._judge_pace()
        elif self._phase is _HEAD and self._part.strip(b"\r\n"):
            self._refuse(Refused(_TOO_SLOW, "The head did not come in time."))
        elif self._phase is _HEAD:
            self.end()
        elif self._phase is _END and not self._flushing and self._unsent_bytes:
            self._flushing = True  # a last answer that is large may take longer than the lingering
            self._deadline.set(self.limits.stall_s)
        else:
            self.abort()

    def _judge_pace(self) -> None:
        enough = self.limits.body_bytes_per_s * self.limits.body_span_s
        if self._span_bytes < enough and not self.flow.read_paused:
            self._refuse(Refused(_TOO_SLOW, "The body did not come in time."))
            return
        self._span_bytes = 0
        self._deadline.set(self.limits.body_span_s)

    @property
    def _unsent_bytes(self) -> int:
        return self._real_transport.get_write_buffer_size()


def strict_http(limits: WireLimits) -> type[StrictHttp]:
    return type("StrictHttp", (StrictHttp,), {"limits": limits})


def _unreadable() -> Refused:
    """Also where the parser and our rules do not agree."""
    return Refused(400, "The request cannot be read.")

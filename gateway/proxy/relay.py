"""Passes one answer on, piece by piece; a reader sees what passes. Nothing is collected first."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import ClientLeft, UpstreamProtocolError
from gateway.facts.dialects.port import Answered, Dialect, Headers
from gateway.facts.exchange import Ask, Route
from gateway.facts.refusal import Refusal
from gateway.facts.usage import UNREPORTED, Usage
from gateway.proxy.allowance import Allowance
from gateway.proxy.answer_headers import for_client, upstream_request_id
from gateway.proxy.asgi import Message, Send
from gateway.proxy.reading import Reader, Unread, WholeAnswer, passes_as_events, reader_for

FIRST_ERROR = 400
_ENDS_OF_EVENTS = (b"\n\n", b"\r\n\r\n", b"\r\r")


@dataclass(frozen=True, slots=True)
class Destination:
    """To whom an answer goes, and what it brings along of ours."""

    dialect: Dialect
    route: Route
    ask: Ask
    request_id: str
    quota_headers: Headers
    inspected_bytes: int


class Relay:
    """`send` is what the forwarding app is given in the place of the server's.

    `on_end` is called when the last piece is known, before it is sent: what is settled does not
    wait for a slow reader.
    """

    def __init__(
        self,
        destination: Destination,
        send: Send,
        clock: Callable[[], int],
        on_end: Callable[[], None],
        allowance: Allowance | None = None,
    ) -> None:
        """`allowance`: of what streams; without it everything passes."""
        self._to = destination
        self._send = send
        self._clock = clock
        self._on_end = on_end
        self._allowance = allowance
        self._reader: Reader = Unread()
        self._events = False
        self._last = b""
        """What was passed on last."""
        self._passed_tokens: int | None = None
        """If some of what was read was not passed on."""
        self.status: int | None = None
        """None until the head was passed on."""
        self.ended = False
        self.first_byte_at_us: int | None = None
        self.upstream_request_id: str | None = None

    async def send(self, message: Message) -> None:
        """Raises `UpstreamProtocolError` for an answer that cannot be passed on, `ClientLeft`."""
        kind = message["type"]
        if kind == "http.response.start":
            await self._begin(message)
        elif kind == "http.response.body":
            await self._continue(message)

    async def break_off(self, refusal: Refusal) -> None:
        """Tell whoever reads a stream that this is no end.

        A plain answer has no place for an error. Either is left incomplete, and the server closes
        it as broken, which every client sees.
        """
        if not self._events:
            return
        event = self._to.dialect.stream_error(refusal, self._to.request_id)
        if self._last and not self._last.endswith(_ENDS_OF_EVENTS):
            event = b"\n\n" + event
        await self._give({"type": "http.response.body", "body": event, "more_body": True})

    @property
    def failed(self) -> bool:
        """The model API answered with an error."""
        return self.status is not None and self.status >= FIRST_ERROR

    @property
    def answered(self) -> Answered:
        return self._reader.answered

    @property
    def usage(self) -> Usage:
        return self.answered.usage if self.status is not None else UNREPORTED

    @property
    def output_tokens_seen(self) -> int | None:
        """None if what passed could not be read: then the reservation is the best estimate."""
        if self._passed_tokens is not None:
            return self._passed_tokens
        reader = self._reader
        if isinstance(reader, WholeAnswer):
            if reader.overflowed:
                return None
            seen = reader.answered.output_tokens_seen
            writes = self._to.ask.max_output_tokens != 0  # embeddings are bytes and no output
            read = self.ended and reader.answered.complete
            return max(seen, reader.bytes_as_tokens) if writes and not read else seen
        if isinstance(reader, Unread) and self.first_byte_at_us is not None:
            return None
        return reader.answered.output_tokens_seen

    async def _begin(self, message: Message) -> None:
        status: int = message["status"]
        headers: Headers = [(bytes(n), bytes(v)) for n, v in message.get("headers", ())]
        if self.status is not None or not 200 <= status <= 599:  # noqa: PLR2004  # final statuses
            raise UpstreamProtocolError("not a final status, or a second one", sent=True)
        self._events = passes_as_events(self._to.ask, status, headers)
        ours = [(self._to.dialect.request_id_header(), self._to.request_id.encode())]
        passed = for_client(
            headers, ours=ours + self._to.quota_headers, length_may_change=self._events
        )
        self._reader = reader_for(
            self._to.dialect,
            self._to.route,
            self._to.ask,
            status=status,
            headers=headers,
            cap_bytes=self._to.inspected_bytes,
        )
        self.upstream_request_id = upstream_request_id(headers)
        self.status = status
        await self._give({"type": "http.response.start", "status": status, "headers": passed})

    async def _continue(self, message: Message) -> None:
        if self.status is None or self.ended:
            raise UpstreamProtocolError("a body without a head, or after its end", sent=True)
        seen_before = self._reader.output_tokens_seen if self._events else 0
        data = self._reader.feed(message.get("body", b""))
        if self._events and self._allowance is not None:
            await self._cover(self._allowance, seen_before)
        if message.get("more_body", False):
            if data:
                await self._pass(data)
            return
        data += self._reader.finish()
        self.ended = True
        if data and self.first_byte_at_us is None:
            self.first_byte_at_us = self._clock()
        self._on_end()
        await self._give({"type": "http.response.body", "body": data, "more_body": False})

    async def _cover(self, allowance: Allowance, seen_before: int) -> None:
        """What was just read may pass, or nothing does any more: raises `QuotaSpent`."""
        seen = self._reader.output_tokens_seen
        if allowance.suffices(seen):
            return
        reported = self._reader.answered.usage.output_tokens
        if reported is not None and reported >= seen:
            return  # the model has ended: what it wrote beyond is debt
        self._passed_tokens = seen_before  # also if we are cancelled while we wait
        await allowance.cover(seen)
        self._passed_tokens = None

    async def _pass(self, data: bytes) -> None:
        self._last = data
        if self.first_byte_at_us is None:
            self.first_byte_at_us = self._clock()
        await self._give({"type": "http.response.body", "body": data, "more_body": True})

    async def _give(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError as error:  # how ASGI 2.4 says that nobody is there any more
            raise ClientLeft from error

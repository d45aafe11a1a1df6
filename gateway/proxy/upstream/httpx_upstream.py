"""The Upstream on httpx: HTTP/1.1, one connection per exchange in flight.

httpx's transport is used without its client, so no default header, cookie, redirect or environment
proxy has to be switched off. What httpcore does by itself: it replaces a reused connection whose
socket has become readable (closed by the peer) before a byte is sent, and repeats nothing after.
It writes the whole request before it reads, so an answer that comes while the request is still
being sent is seen only when that is done, or when the peer closes.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Protocol

import httpx

from gateway.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRedirected,
    UpstreamTimeout,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.upstream.framing import (
    answer_headers,
    fault_of_head,
    is_redirect,
    request_headers,
    whole_body,
)
from gateway.proxy.upstream.lanes import Lanes
from gateway.proxy.upstream.port import UpstreamSettings
from gateway.proxy.upstream.residue import has_residue
from gateway.proxy.upstream.tls import ssl_context

# TLS faults while reading are not httpx's own but OpenSSL's, an OSError; so is a passed deadline.
FOREIGN = (httpx.HTTPError, OSError)

RECEIVE_BUFFER_BYTES = 256 * 1024
"""The kernel's; by itself it grows to megabytes, and a loop reads all of it at once for a client
that may read nothing. 5 MB/s of an answer from 100 ms away."""

END = {"type": "http.response.body", "body": b"", "more_body": False}


class HttpxUpstream:
    """See `port.Upstream`."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._target = settings.target
        self._timeouts = settings.timeouts
        self._url = httpx.URL(settings.target.origin)
        self._max_connections = settings.max_connections
        self._keep_alive_s = settings.keep_alive_s
        self._lanes = self._lanes_with(ssl_context(settings))
        self._former: set[asyncio.Task[None]] = set()

    def renew_tls(self, context: ssl.SSLContext) -> None:
        """For connections that are made from now on. Those in use end with their exchange."""
        former, self._lanes = self._lanes, self._lanes_with(context)
        closing = asyncio.get_running_loop().create_task(former.aclose())
        self._former.add(closing)
        closing.add_done_callback(self._former.discard)

    def _lanes_with(self, context: ssl.SSLContext) -> Lanes:
        def new_lane() -> httpx.AsyncHTTPTransport:
            return httpx.AsyncHTTPTransport(
                verify=context,
                trust_env=False,
                limits=httpx.Limits(max_connections=1),
                socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)],
            )

        return Lanes(
            new_lane, max_connections=self._max_connections, keep_alive_s=self._keep_alive_s
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(receive)
        lanes = self._lanes
        lane = await self._lane(lanes)
        wire = _Wire(self._timeouts.first_byte_s)
        try:
            answer = await self._ask(lane, self._request(scope, body, wire), wire)
            await self._pass_on(answer, send)
        except BaseException:
            try:
                await wire.abort()
            finally:
                await lanes.discard(lane)
            raise
        if has_residue(lane, answer):
            await lanes.discard(lane)
        else:
            await lanes.give_back(lane)
        await send(END)  # last: a slow client holds no connection

    async def aclose(self) -> None:
        await self._lanes.aclose()
        await asyncio.gather(*self._former)

    async def _lane(self, lanes: Lanes) -> httpx.AsyncHTTPTransport:
        try:
            return await lanes.take(self._timeouts.pool_s)
        except TimeoutError:
            raise UpstreamTimeout(
                f"All connections to {self._target.where} were in use for "
                f"{self._timeouts.pool_s:g} s.",
                sent=False,
            ) from None

    def _request(self, scope: Scope, body: bytes, wire: "_Wire") -> httpx.Request:
        method: str = scope["method"]
        target = self._target.request_target(scope["raw_path"], scope["query_string"])
        return httpx.Request(
            method,
            self._url,
            headers=request_headers(method, scope["headers"], self._target.authority, len(body)),
            stream=httpx.ByteStream(body),  # `stream`: httpx then adds no header of its own
            extensions={"target": target, "trace": wire},
        )

    async def _ask(
        self, lane: httpx.AsyncHTTPTransport, request: httpx.Request, wire: "_Wire"
    ) -> httpx.Response:
        """Send, and wait for the answer's head."""
        try:
            async with asyncio.timeout(self._timeouts.connect_s) as wire.deadline:
                answer = await lane.handle_async_request(request)
        except FOREIGN as exc:
            failure: UpstreamError = self._unanswered(exc, sent=wire.sent)
        else:
            refused = self._refused(answer)
            if refused is None:
                return answer
            failure = refused
        raise failure  # outside the handler: a parser's error quotes what it could not parse

    def _refused(self, answer: httpx.Response) -> UpstreamProtocolError | None:
        """Why this head is not passed on; None if it is."""
        where, status = self._target.where, answer.status_code
        if is_redirect(status):
            return UpstreamRedirected(
                f"{where} redirects (status {status}) to where no quota would hold. Give the final "
                "address as --upstream.",
                sent=True,
            )
        fault = fault_of_head(status, answer.headers.raw)
        if fault is None:
            return None
        return UpstreamProtocolError(
            f"{where} sent an answer that cannot be passed on: {fault}.", sent=True
        )

    async def _pass_on(self, answer: httpx.Response, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": answer.status_code,
                "headers": answer_headers(answer.headers.raw),
            }
        )
        pieces = answer.aiter_raw()
        while (piece := await self._next(pieces)) is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        """The next piece of the body; None at its end."""
        try:
            async with asyncio.timeout(self._timeouts.idle_s):
                return await anext(pieces, None)
        except FOREIGN as exc:
            failure = self._truncated(exc)
        raise failure

    def _unanswered(self, exc: Exception, *, sent: bool) -> UpstreamError:
        where = self._target.where
        if isinstance(exc, TimeoutError):
            late = (
                f"{where} sent no answer within {self._timeouts.first_byte_s:g} s."
                if sent
                else f"No connection to {where} within {self._timeouts.connect_s:g} s."
            )
            return UpstreamTimeout(late, sent=sent)
        if isinstance(exc, httpx.LocalProtocolError):  # raised before anything is written
            return UpstreamProtocolError(
                f"The request to {where} cannot be written as HTTP/1.1.", sent=False
            )
        # httpcore has one type for garbage and for an early end; the words are all that differs.
        if isinstance(exc, httpx.RemoteProtocolError) and "disconnected" not in str(exc):
            return UpstreamProtocolError(
                f"{where} answered with something that is not HTTP.", sent=sent
            )
        if sent:
            return UpstreamUnreachable(f"{where} closed without an answer.", sent=True)
        return UpstreamUnreachable(f"No connection to {where}: {_os_words(exc)}.", sent=False)

    def _truncated(self, exc: Exception) -> UpstreamTruncated:
        if isinstance(exc, TimeoutError):
            reason = f"nothing came for {self._timeouts.idle_s:g} s (timeout)"
        elif isinstance(exc, httpx.RemoteProtocolError):
            reason = "it ended early or broke its own framing (protocol)"
        else:
            reason = "the connection broke (reset)"
        return UpstreamTruncated(
            f"The answer of {self._target.where} broke off: {reason}.", sent=True
        )


def _os_words(exc: BaseException) -> str:
    """What the operating system or OpenSSL said, below the layers that say less."""
    words, below = str(exc), exc.__cause__ or exc.__context__
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            words = below.strerror
        below = below.__cause__ or below.__context__
    return words


class _Closable(Protocol):
    async def aclose(self) -> None: ...


class _Wire:
    """How far a request has come, as httpcore's `trace` extension reports it."""

    deadline: asyncio.Timeout

    def __init__(self, first_byte_s: float) -> None:
        self._first_byte_s = first_byte_s
        self.sent = False
        self._opened: _Closable | None = None

    async def __call__(self, event: str, info: dict[str, object]) -> None:
        if event == "connection.connect_tcp.complete":
            self._opened = info["return_value"]  # type: ignore[assignment]  # untyped extension
        elif event == "http11.send_request_headers.started":
            self.sent = True
            now = asyncio.get_running_loop().time()
            self.deadline.reschedule(now + self._first_byte_s)

    async def abort(self) -> None:
        """Close the socket that was opened for this request, if one was.

        In the middle of a TLS handshake it is nobody's yet: neither httpcore nor anyio closes it.
        """
        if self._opened is not None:
            await self._opened.aclose()

"""What the Gateway asks of an Upstream: an ASGI app that forwards to one model API.

`tests/contract_upstream` holds every implementation to this.

**In.** A scope of type `http` with `method`, `raw_path`, `query_string` and `headers`, all already
checked: the path is canonical, credentials and hop-by-hop fields are the Gateway's business. The
request goes to `base path + raw_path [+ ? + query_string]` at the host of the settings; nothing in
a request chooses another. `host`, `content-length` and `transfer-encoding` of the scope are
ignored: the Upstream writes its own, and adds no other field. The headers keep their order and
repeats. The body is read from `receive` to its end before anything is sent (the Gateway has capped
it); after that `receive` is not called: a client that leaves is told by cancelling the task.

**Out.** `http.response.start` with the status and the headers in their order, repeats kept, names
in lower case, without hop-by-hop fields; then one `http.response.body` for every piece as it comes
from the wire, before the next is read, and an empty last one. `content-encoding` is left alone,
cookies are not kept, 1xx answers are skipped, no proxy is read from the environment. While `send`
waits nothing more is read than fits the socket's buffers.

**Errors.** Before the head of the answer was passed on: `UpstreamUnreachable`, `UpstreamTimeout`,
`UpstreamProtocolError`, whose `sent` says whether a byte of the request may have left. After it:
`UpstreamTruncated`, whatever the reason; its message names the reason. `ClientLeft` if `receive`
disconnects before the body's end. No other exception, and no message with more of the request or
the answer in it than `host:port` and a status.

A redirect (3xx but 304) is neither followed nor passed on: `UpstreamRedirected`, a protocol error.
SDKs would follow it with their caller's key to where no quota holds.

**Connections.** They are reused when the answer was read to its end and nothing followed it. One
that the peer has closed meanwhile is replaced before anything is sent. Once a byte was sent nothing
is repeated: a model may have begun to work, and the caller's SDK knows better when to retry.

**Cancellation.** In any phase the connection is closed at once and its slot is free again, also
when a second cancellation interrupts the first one's clean-up.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.upstream.target import UpstreamTarget


class Upstream(Protocol):
    """Forwards exchanges to one model API; see the head of this file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def aclose(self) -> None:
        """Close what is idle; what is in use is closed when its exchange ends."""
        ...


@dataclass(frozen=True, slots=True)
class UpstreamTimeouts:
    """Deadlines of one exchange, in seconds."""

    connect_s: float = 5.0
    """Name resolution, TCP and TLS together."""
    first_byte_s: float = 600.0
    """From the first byte sent to the complete head of the answer: long models think for minutes,
    and ten of them are what the OpenAI and Anthropic SDKs wait by default."""
    idle_s: float = 120.0
    """Between two pieces of the body. Time in which our own client does not read is not counted."""
    pool_s: float = 5.0
    """For a free connection, where `max_connections` is set."""


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """Everything an Upstream has to know; no part of it comes from a request."""

    target: UpstreamTarget
    timeouts: UpstreamTimeouts = field(default_factory=UpstreamTimeouts)
    max_connections: int | None = None
    """At most so many at once; None leaves the bound to the server's own cap on requests."""
    keep_alive_s: float = 4.0
    """How long an idle connection is kept: below the 5 s of uvicorn and Node.js, so that it is we
    who close first and no request meets a connection that is just being closed."""
    ca_file: Path | None = None
    """PEM bundle of the authorities to trust, in place of the usual public ones."""
    client_cert_file: Path | None = None
    """PEM certificate (chain) that we show, with its key in the same file or in the next one."""
    client_key_file: Path | None = None

"""How much of a peer's time, bytes and patience the wire takes, before anybody is identified."""

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class WireLimits:
    request_line_bytes: int = 8 * KIB
    """RFC 9112, 3: at least 8,000."""
    head_bytes: int = 64 * KIB
    """Request line and header fields; a trailer section, too. Node takes 16, Go 1,024."""
    header_fields: int = 100
    """As Apache and gunicorn have it."""
    head_s: float = 9.0
    """From the connect, later from a request's first byte, until its head is complete: so that all
    of thousands are closed within 10 s."""
    body_span_s: float = 9.0
    body_bytes_per_s: int = 500
    """Of a body, over each such span: Apache's mod_reqtimeout has 20 s and 500, on average."""
    idle_s: float = 75.0
    """Between two requests, as nginx has it: longer than the SDKs keep an idle connection, so that
    they close first."""
    stall_s: float = 60.0
    """For a reader that takes nothing, as nginx's send_timeout."""
    write_buffer_bytes: int = 64 * KIB
    """Of an answer that the peer does not read; then the app's `send` waits."""
    pipelined_bytes: int = 64 * KIB
    """Sent ahead of an answer. Who sends more loses the connection after that answer."""
    linger_s: float = 2.0
    linger_bytes: int = 256 * KIB
    """What is read and dropped after a last answer, so that a peer that is still sending sees it
    before it sees a reset (RFC 9112, 9.6)."""

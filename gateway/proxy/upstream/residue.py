"""Whether anything has come on a connection after the end of its answer.

httpcore 1.0.9 keeps bytes beyond an answer's end and hands them to the next request as its answer:
the answer of one customer's request to another (shown by the contract suite). It looks only at the
socket before it reuses a connection, but the bytes may already lie in one of three buffers above:
h11's, the TLS object's, or anyio's queue. None has a public name, so this file alone looks inside,
and answers "yes" if a new version looks different: connections are then not reused, and a test that
counts connections fails.
"""

import ssl

import httpx


def has_residue(lane: httpx.AsyncHTTPTransport, answer: httpx.Response) -> bool:
    """True unless every buffer of the lane's connection is known to be empty."""
    stream = answer.extensions["network_stream"]
    try:
        return _in_parser(lane) or _in_tls(stream) or _in_queue(stream)
    except (AttributeError, IndexError, ssl.SSLError):
        return True


def _in_parser(lane: httpx.AsyncHTTPTransport) -> bool:
    connection = lane._pool.connections[0]._connection  # type: ignore[attr-defined]  # noqa: SLF001  # see above
    unread, ended = connection._h11_state.trailing_data  # noqa: SLF001  # see above
    return bool(unread) or bool(ended)


def _in_tls(stream: object) -> bool:
    tls: ssl.SSLObject | None = stream.get_extra_info("ssl_object")  # type: ignore[attr-defined]
    if tls is None:
        return False
    try:
        tls.read(1)  # over memory buffers: it never waits
    except ssl.SSLWantReadError:
        return False
    return True  # a byte, or the peer's farewell


def _in_queue(stream: object) -> bool:
    tcp = stream._stream  # type: ignore[attr-defined]  # noqa: SLF001  # see above
    tcp = getattr(tcp, "transport_stream", tcp)  # under TLS one deeper
    return bool(tcp._protocol.read_queue)  # noqa: SLF001  # see above

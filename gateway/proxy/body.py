"""The whole body of a request, or none of it."""

from gateway.errors import BodyTooLarge, ClientLeft, MalformedRequest
from gateway.proxy.asgi import Receive


async def read_body(receive: Receive, *, cap_bytes: int, declared_bytes: int | None) -> bytes:
    """A body that broke off is never acted upon: one server was seen to pass its part as a whole.

    Raises `BodyTooLarge` (unread, where its length was declared), `ClientLeft` if the client went
    before the end, `MalformedRequest` if the length was a lie.
    """
    if declared_bytes is not None and declared_bytes > cap_bytes:
        raise _too_large(cap_bytes)
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        piece = message.get("body", b"")
        size += len(piece)
        if size > cap_bytes:
            raise _too_large(cap_bytes)
        pieces.append(piece)
        more = message.get("more_body", False)
    if declared_bytes is not None and size != declared_bytes:
        raise MalformedRequest("The body is not as long as content-length says.")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def read_no_body(receive: Receive, *, declared_bytes: int | None) -> None:
    """For methods without a body: one that comes all the same has no agreed meaning."""
    try:
        await read_body(receive, cap_bytes=0, declared_bytes=declared_bytes)
    except BodyTooLarge:
        raise MalformedRequest("This method takes no body.") from None


def _too_large(cap_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {cap_bytes:,} bytes. Send less.")

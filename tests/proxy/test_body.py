from collections.abc import Sequence

import pytest

from gateway.errors import BodyTooLarge, ClientLeft, MalformedRequest
from gateway.proxy.asgi import Message, Receive
from gateway.proxy.body import read_body, read_no_body


def receiving(*pieces: bytes, leaves: bool = False) -> tuple[Receive, list[int]]:
    left = list(pieces)
    reads: list[int] = []

    async def receive() -> Message:
        reads.append(len(left))
        if left:
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left) or leaves}
        return {"type": "http.disconnect"}

    return receive, reads


@pytest.mark.parametrize("pieces", [[b""], [b"abc"], [b"a", b"", b"bc"]])
async def test_a_body_is_read_to_its_end(pieces: Sequence[bytes]) -> None:
    receive, _ = receiving(*pieces)
    body = b"".join(pieces)
    assert await read_body(receive, cap_bytes=3, declared_bytes=len(body)) == body


async def test_a_declared_length_over_the_cap_is_refused_unread() -> None:
    receive, reads = receiving(b"abcd")
    with pytest.raises(BodyTooLarge):
        await read_body(receive, cap_bytes=3, declared_bytes=4)
    assert reads == []


async def test_an_undeclared_body_is_read_no_further_than_the_cap() -> None:
    receive, reads = receiving(b"ab", b"cd", b"ef")
    with pytest.raises(BodyTooLarge):
        await read_body(receive, cap_bytes=3, declared_bytes=None)
    assert len(reads) == 2


async def test_a_client_that_leaves_in_the_middle_leaves_nothing() -> None:
    receive, _ = receiving(b"ab", leaves=True)
    with pytest.raises(ClientLeft):
        await read_body(receive, cap_bytes=10, declared_bytes=None)


async def test_a_length_that_is_not_kept_is_refused() -> None:
    receive, _ = receiving(b"ab")
    with pytest.raises(MalformedRequest):
        await read_body(receive, cap_bytes=10, declared_bytes=3)


async def test_where_no_body_belongs_none_is_taken() -> None:
    receive, _ = receiving(b"")
    await read_no_body(receive, declared_bytes=None)
    receive, _ = receiving(b"x")
    with pytest.raises(MalformedRequest):
        await read_no_body(receive, declared_bytes=None)
    receive, reads = receiving(b"x")
    with pytest.raises(MalformedRequest):
        await read_no_body(receive, declared_bytes=1)
    assert reads == []

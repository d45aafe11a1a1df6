from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.proxy.upstream.residue import has_residue
from tests.parts.raw_server import answering, raw_server


@pytest.fixture
async def read_answer() -> AsyncIterator[tuple[httpx.AsyncHTTPTransport, httpx.Response]]:
    """A lane of httpx, and an answer on it that was read to its end."""
    ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    async with raw_server(answering(ok)) as server, httpx.AsyncHTTPTransport() as lane:
        answer = await lane.handle_async_request(httpx.Request("GET", server.url))
        await answer.aread()
        yield lane, answer


async def test_an_answer_that_nothing_follows_leaves_no_residue(
    read_answer: tuple[httpx.AsyncHTTPTransport, httpx.Response],
) -> None:
    assert not has_residue(*read_answer)


async def test_bytes_that_anyio_has_queued_are_residue(
    read_answer: tuple[httpx.AsyncHTTPTransport, httpx.Response],
) -> None:
    """They came with the answer's last bytes, but not in the same read: too rare to provoke."""
    lane, answer = read_answer
    answer.extensions["network_stream"]._stream._protocol.read_queue.append(b"x")
    assert has_residue(lane, answer)


async def test_a_library_that_looks_different_inside_is_taken_to_have_residue(
    read_answer: tuple[httpx.AsyncHTTPTransport, httpx.Response],
) -> None:
    _, answer = read_answer
    async with httpx.AsyncHTTPTransport() as another:  # its pool is empty
        assert has_residue(another, answer)

import pytest

from gateway.errors import ClientLeft
from gateway.proxy.asgi import Message
from gateway.proxy.upstream.framing import (
    answer_headers,
    fault_of_head,
    is_redirect,
    request_headers,
    whole_body,
)


async def read(*messages: Message) -> bytes:
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return await whole_body(receive)


async def test_a_body_is_read_to_its_end_and_not_beyond() -> None:
    assert await read({"type": "http.request"}, {"type": "http.disconnect"}) == b""
    assert await read({"type": "http.request", "body": b"a"}) == b"a"
    assert (
        await read(
            {"type": "http.request", "body": b"a", "more_body": True},
            {"type": "http.request", "body": b"b", "more_body": False},
            {"type": "http.disconnect"},
        )
        == b"ab"
    )


@pytest.mark.parametrize(
    "before", [[], [{"type": "http.request", "body": b"a", "more_body": True}]]
)
async def test_a_disconnect_before_the_end_is_no_body(before: list[Message]) -> None:
    with pytest.raises(ClientLeft):
        await read(*before, {"type": "http.disconnect"})


def test_host_is_first_and_length_last_whatever_the_scope_says() -> None:
    given = [(b"Host", b"x"), (b"a", b"1"), (b"Content-Length", b"9"), (b"A", b"2")]
    assert request_headers("POST", given, b"model:1", 3) == [
        (b"host", b"model:1"),
        (b"a", b"1"),
        (b"A", b"2"),
        (b"content-length", b"3"),
    ]
    assert request_headers("GET", [], b"m", 0) == [(b"host", b"m")]
    assert request_headers("PUT", [], b"m", 0)[-1] == (b"content-length", b"0")


def test_what_connection_names_is_dropped_in_any_spelling() -> None:
    raw = [
        (b"X-A", b"1"),
        (b"Connection", b"close,  X-a ,"),
        (b"x-b", b"2"),
        (b"CONNECTION", b"x-C"),
        (b"x-c", b"3"),
        (b"Proxy-Connection", b"x"),
    ]
    assert answer_headers(raw) == [(b"x-b", b"2")]


@pytest.mark.parametrize("status", [0, 99, 100, 101, 199, 600, 999])
def test_a_status_without_a_meaning_is_a_fault(status: int) -> None:
    assert fault_of_head(status, []) == f"status {status}"


def test_every_redirect_is_told_from_other_answers() -> None:
    assert [status for status in range(200, 600) if is_redirect(status)] == [
        *range(300, 304),
        *range(305, 400),
    ]


def test_two_framings_are_a_fault_and_one_is_none() -> None:
    length, chunked = (b"Content-Length", b"1"), (b"Transfer-Encoding", b"chunked")
    assert fault_of_head(200, [length]) is None
    assert fault_of_head(200, [chunked]) is None
    assert fault_of_head(200, [chunked, length]) is not None

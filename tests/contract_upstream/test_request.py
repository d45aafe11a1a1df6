"""What reaches the model API, byte for byte."""

import pytest

from gateway.errors import ClientLeft, UpstreamProtocolError
from tests.contract_upstream.conftest import Connect
from tests.contract_upstream.exchange import Exchange
from tests.parts.raw_server import Peer, answering, raw_server

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def test_the_request_arrives_exactly_as_given(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        await Exchange(
            connect(server.url),
            raw_path=b"/v1/messages%20x",
            query_string=b"beta=true&x=%2F",
            headers=[
                (b"content-type", b"application/json"),
                (b"anthropic-beta", b"one"),
                (b"x-api-key", b"sk-test"),
                (b"anthropic-beta", b"two"),
                (b"x-latin", b"\xfcber"),
            ],
            body=b'{"model":"m"}',
        ).end()
    (peer,) = server.peers
    assert bytes(peer.received) == (
        b"POST /v1/messages%20x?beta=true&x=%2F HTTP/1.1\r\n"
        b"host: " + server.where.encode() + b"\r\n"
        b"content-type: application/json\r\n"
        b"anthropic-beta: one\r\n"
        b"x-api-key: sk-test\r\n"
        b"anthropic-beta: two\r\n"
        b"x-latin: \xfcber\r\n"
        b"content-length: 13\r\n"
        b"\r\n"
        b'{"model":"m"}'
    )


@pytest.mark.parametrize(
    ("method", "body", "rest"),
    [
        ("GET", b"", b"\r\n"),
        ("HEAD", b"", b"\r\n"),
        ("POST", b"", b"content-length: 0\r\n\r\n"),
        ("DELETE", b"x", b"content-length: 1\r\n\r\nx"),
    ],
)
async def test_nothing_is_added_but_what_framing_needs(
    connect: Connect, method: str, body: bytes, rest: bytes
) -> None:
    async with raw_server(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        await Exchange(connect(server.url), method=method, headers=[], body=body).end()
    assert bytes(server.peers[0].received) == (
        f"{method} /v1/chat/completions HTTP/1.1\r\nhost: {server.where}\r\n".encode() + rest
    )


async def test_framing_and_host_of_the_scope_are_not_believed(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        await Exchange(
            connect(server.url),
            headers=[
                (b"host", b"evil.example"),
                (b"content-length", b"999"),
                (b"transfer-encoding", b"chunked"),
            ],
            body=b"{}",
        ).end()
    head = bytes(server.peers[0].received).lower()
    assert b"evil.example" not in head
    assert b"transfer-encoding" not in head
    assert head.count(b"content-length") == 1
    assert b"content-length: 2\r\n" in head


async def test_a_path_prefix_of_the_base_url_comes_first(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        await Exchange(connect(server.url + "/openai/"), raw_path=b"/v1/models").end()
    assert server.peers[0].received.startswith(b"POST /openai/v1/models HTTP/1.1\r\n")


@pytest.mark.parametrize("path", [b"//evil.example/x", b"/@evil.example", b"/\\evil", b"/a/../b"])
async def test_no_path_chooses_another_host_or_is_repaired(connect: Connect, path: bytes) -> None:
    async with raw_server(answering(OK)) as server:
        await Exchange(connect(server.url), raw_path=path).end()
    assert server.peers[0].received.startswith(b"POST " + path + b" HTTP/1.1\r\n")


async def test_a_body_in_several_messages_arrives_as_one(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        await Exchange(
            connect(server.url),
            body_messages=[
                {"type": "http.request", "body": b"ab", "more_body": True},
                {"type": "http.request", "more_body": True},
                {"type": "http.request", "body": b"c"},
            ],
        ).end()
    assert server.peers[0].received.endswith(b"content-length: 3\r\n\r\nabc")


async def test_a_client_that_leaves_before_its_bodys_end_reaches_nobody(connect: Connect) -> None:
    async with raw_server(answering(OK)) as server:
        exchange = Exchange(
            connect(server.url),
            body_messages=[
                {"type": "http.request", "body": b"ab", "more_body": True},
                {"type": "http.disconnect"},
            ],
        )
        with pytest.raises(ClientLeft):
            await exchange.end()
    assert server.peers == []


async def test_a_big_body_arrives_whole(connect: Connect) -> None:
    body = bytes(range(256)) * 64 * 1024  # 16 MiB

    async def script(peer: Peer) -> None:
        request = await peer.request()
        same = request.endswith(b"\r\n\r\n" + body)
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + (b"1" if same else b"0"))

    async with raw_server(script) as server:
        exchange = await Exchange(connect(server.url), body=body).end()
    assert exchange.body == b"1"


@pytest.mark.parametrize("value", [b"sk-secret\r\nx-evil: 1", b"sk-secret\x00", b"sk-secret\n"])
async def test_a_header_that_would_split_the_request_is_not_sent_nor_quoted(
    connect: Connect, value: bytes
) -> None:
    async with raw_server(answering(OK)) as server:
        exchange = Exchange(connect(server.url), headers=[(b"x-api-key", value)])
        with pytest.raises(UpstreamProtocolError) as caught:
            await exchange.end()
    assert not caught.value.sent
    assert all(not peer.received for peer in server.peers)
    assert "sk-secret" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_the_environments_proxies_are_not_used(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with raw_server(answering(OK)) as server:
        assert (await Exchange(connect(server.url)).end()).body == b"ok"

"""One request for keys, against servers that answer in every way."""

import ssl

import pytest
import trustme

from gateway.identity import key_fetch
from gateway.identity.key_fetch import MAX_BYTES, fetch_keys, tls_context
from gateway.identity.key_set import UnusableKeys, parse_key_set
from tests.parts.raw_server import Script, raw_server, saying_once, silent, unused_port
from tests.parts.token_issuer import Signer, key_set

KEYS = key_set(Signer().jwk)
PLAIN = tls_context("http://localhost/", None)


def http(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


async def refusal(script: Script) -> str:
    async with raw_server(script) as server:
        with pytest.raises(UnusableKeys) as raised:
            await fetch_keys(server.url, PLAIN)
    return str(raised.value)


async def test_keys_are_read() -> None:
    async with raw_server(saying_once(http(KEYS))) as server:
        assert await fetch_keys(f"{server.url}/jwks?v=1", PLAIN) == parse_key_set(KEYS)
        asked = server.peers[0].received.lower()
    assert asked.startswith(b"get /jwks?v=1 http/1.1\r\n")
    assert b"accept-encoding: identity\r\n" in asked


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(b"", "500 Oops"), "status 500"),
        (http(b"", "302 Found", "location: http://127.0.0.1:1/\r\n"), "status 302"),
        (http(KEYS, "203 Perhaps"), "status 203"),
        (http(b"<html>"), "not JSON"),
        (http(KEYS, headers="content-encoding: gzip\r\n"), "encoded"),
        (http(KEYS)[:-10], "no answer"),
        (b"SSH-2.0-OpenSSH\r\n", "no answer"),
        (http(b" " * (MAX_BYTES + 1)), "more than 524,288 bytes"),
    ],
)
async def test_any_other_answer_is_none(answer: bytes, words: str) -> None:
    assert words in await refusal(saying_once(answer))


async def test_it_waits_for_so_long_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_fetch, "TIMEOUT_S", 0.05)
    assert await refusal(silent) == "no answer within 0.05 s"


async def test_nobody_there_is_no_answer() -> None:
    with pytest.raises(UnusableKeys, match="no answer"):
        await fetch_keys(f"http://127.0.0.1:{unused_port()}/", PLAIN)


@pytest.mark.parametrize("url", ["http://exa mple/", "http://localhost:\x00/", "http://\u0001/"])
async def test_what_no_client_can_ask_for_is_no_answer(url: str) -> None:
    with pytest.raises(UnusableKeys):
        await fetch_keys(url, PLAIN)


async def test_only_the_named_authorities_vouch_for_the_server() -> None:
    ca, other = trustme.CA(), trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(served)
    async with raw_server(saying_once(http(KEYS)), tls=served) as server:
        believed = tls_context(server.url, ca.cert_pem.bytes().decode())
        assert await fetch_keys(server.url, believed) == parse_key_set(KEYS)
        for authorities in (other.cert_pem.bytes().decode(), None):
            with pytest.raises(UnusableKeys, match="no answer"):
                await fetch_keys(server.url, tls_context(server.url, authorities))

"""TLS to the upstream: verified, with a certificate of our own if one is set."""

import asyncio
import ssl
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from gateway.errors import SettingsError, UpstreamTruncated, UpstreamUnreachable
from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings
from gateway.proxy.upstream.target import UpstreamTarget
from tests.contract_upstream.conftest import Connect
from tests.contract_upstream.exchange import PATIENCE_S, Exchange
from tests.parts.raw_server import Peer, answering, raw_server, saying_once

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
EVIL = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


class Authority(NamedTuple):
    ca: trustme.CA
    ca_file: Path

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca, path = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return Authority(ca, path)


async def test_an_upstream_of_a_known_authority_is_asked_on_one_connection(
    connect: Connect, authority: Authority
) -> None:
    async with raw_server(answering(OK), tls=authority.server("127.0.0.1")) as server:
        upstream = connect(server.url, ca_file=authority.ca_file)
        for _ in range(3):
            assert (await Exchange(upstream).end()).body == b"ok"
    assert len(server.peers) == 1
    assert b"\r\nhost: " + server.where.encode() + b"\r\n" in server.peers[0].received


async def test_an_upstream_of_an_unknown_authority_is_told_nothing(
    connect: Connect, authority: Authority
) -> None:
    async with raw_server(answering(OK), tls=authority.server("127.0.0.1")) as server:
        with pytest.raises(UpstreamUnreachable, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await Exchange(connect(server.url)).end()
    assert not caught.value.sent
    assert server.peers == []


async def test_an_upstream_with_another_ones_certificate_is_told_nothing(
    connect: Connect, authority: Authority
) -> None:
    async with raw_server(answering(OK), tls=authority.server("other.example")) as server:
        with pytest.raises(UpstreamUnreachable, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await Exchange(connect(server.url, ca_file=authority.ca_file)).end()
    assert not caught.value.sent
    assert server.peers == []


async def test_an_upstream_that_does_not_speak_tls_is_unreachable(
    connect: Connect, authority: Authority
) -> None:
    async def script(peer: Peer) -> None:
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.closed.wait()

    async with raw_server(script) as server:
        upstream = connect(f"https://{server.where}", ca_file=authority.ca_file)
        with pytest.raises(UpstreamUnreachable) as caught:
            await Exchange(upstream).end()
        async with asyncio.timeout(PATIENCE_S):
            await server.peers[0].closed.wait()
    assert not caught.value.sent


async def test_our_certificate_is_shown_where_it_is_asked_for(
    connect: Connect, authority: Authority, tmp_path: Path
) -> None:
    theirs = authority.server("127.0.0.1")
    theirs.verify_mode = ssl.CERT_REQUIRED
    theirs.load_verify_locations(authority.ca_file)
    ours = authority.ca.issue_cert("gauger.example")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    ours.cert_chain_pems[0].write_to_path(str(cert))
    ours.private_key_pem.write_to_path(str(key))
    async with raw_server(answering(OK), tls=theirs) as server:
        upstream = connect(
            server.url, ca_file=authority.ca_file, client_cert_file=cert, client_key_file=key
        )
        assert (await Exchange(upstream).end()).body == b"ok"
        with pytest.raises(UpstreamUnreachable):
            await Exchange(connect(server.url, ca_file=authority.ca_file)).end()


async def test_a_second_record_is_never_the_next_ones_answer(
    connect: Connect, authority: Authority
) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(OK, EVIL)

    async with raw_server(script, tls=authority.server("127.0.0.1")) as server:
        upstream = connect(server.url, ca_file=authority.ca_file)
        for _ in range(3):
            assert (await Exchange(upstream).end()).body == b"ok"
    assert len(server.peers) == 3


@pytest.mark.parametrize("head", [b"content-length: 9\r\n", b"transfer-encoding: chunked\r\n"])
async def test_a_tls_stream_that_ends_early_is_truncated(
    connect: Connect, authority: Authority, head: bytes
) -> None:
    script = saying_once(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n", b"1\r\na\r\n")
    async with raw_server(script, tls=authority.server("127.0.0.1")) as server:
        with pytest.raises(UpstreamTruncated):
            await Exchange(connect(server.url, ca_file=authority.ca_file)).end()


async def test_bytes_in_the_stream_that_are_not_tls_truncate_it(
    connect: Connect, authority: Authority
) -> None:
    got_head = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        await got_head.wait()
        sock = peer._transport.get_extra_info("socket")
        sock._sock.send(b"plain text under the record layer")
        await peer.closed.wait()

    async with raw_server(script, tls=authority.server("127.0.0.1")) as server:
        exchange = Exchange(connect(server.url, ca_file=authority.ca_file))
        await exchange.next_message()
        got_head.set()
        with pytest.raises(UpstreamTruncated):
            await exchange.end()
        async with asyncio.timeout(PATIENCE_S):
            await server.peers[0].closed.wait()


async def test_leaving_a_tls_stream_closes_its_connection(
    connect: Connect, authority: Authority
) -> None:
    async def script(peer: Peer) -> None:
        while b" /ok " in await peer.request():
            await peer.say(OK)
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"a")
        await peer.closed.wait()

    async with raw_server(script, tls=authority.server("127.0.0.1")) as server:
        upstream = connect(server.url, ca_file=authority.ca_file, max_connections=1)
        for times in (1, 2, 3):
            exchange = Exchange(upstream)
            await exchange.next_message()
            await exchange.next_message()
            await exchange.cancel(times=times)
            async with asyncio.timeout(1.0):
                await server.peers[-1].closed.wait()
            assert (await Exchange(upstream, raw_path=b"/ok").end()).body == b"ok"


async def test_renewed_files_are_used_by_new_connections_and_end_no_exchange(
    authority: Authority,
) -> None:
    """Of the implementation that gauger serves with: what is renewed is no matter of a contract."""
    may_end = asyncio.Event()

    async def script(peer: Peer) -> None:
        while b" /held " not in await peer.request():
            await peer.say(OK)
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", b"o")
        await may_end.wait()
        await peer.say(b"k")
        await peer.closed.wait()

    theirs = authority.server("127.0.0.1")
    theirs.verify_mode = ssl.CERT_REQUIRED
    theirs.load_verify_locations(authority.ca_file)
    trusting = ssl.create_default_context(cafile=authority.ca_file)
    authority.ca.issue_cert("gauger.example").configure_cert(trusting)
    async with raw_server(script, tls=theirs) as server:
        settings = UpstreamSettings(UpstreamTarget.parse(server.url), ca_file=authority.ca_file)
        upstream = HttpxUpstream(settings)
        with pytest.raises(UpstreamUnreachable):  # we have no certificate yet
            await Exchange(upstream).end()
        upstream.renew_tls(trusting)
        assert (await Exchange(upstream).end()).body == b"ok"
        held = Exchange(upstream, raw_path=b"/held")
        await held.next_message()
        upstream.renew_tls(ssl.create_default_context(cafile=authority.ca_file))
        may_end.set()
        assert (await held.end()).body == b"ok"
        with pytest.raises(UpstreamUnreachable):  # nor is the connection of before used again
            await Exchange(upstream).end()
        await upstream.aclose()


async def test_a_key_that_is_encrypted_is_refused_and_nobody_is_asked_for_its_password(
    connect: Connect, authority: Authority, tmp_path: Path
) -> None:
    issued = authority.ca.issue_cert("gauger.example")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    file = tmp_path / "both.pem"
    file.write_bytes(
        issued.cert_chain_pems[0].bytes()
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )
    with pytest.raises(SettingsError, match="unencrypted"):
        connect("https://127.0.0.1", client_cert_file=file)

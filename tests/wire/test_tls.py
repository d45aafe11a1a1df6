"""TLS at the door, over real sockets: what is asked, what is shown, and how that is renewed."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.server import configuration, listen
from gateway.proxy.serving import Server, serving
from gateway.proxy.tls import ServerTls, server_context
from gateway.proxy.wire_limits import WireLimits
from tests.parts.authority import Authority, serial

GET = b"GET / HTTP/1.1\r\nHost: gauger.test\r\n\r\n"
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


class App:
    """Answers with a first piece, and with a second one when it may end."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        first = f"first {scope['scheme']} ".encode()
        await send({"type": "http.response.body", "body": first, "more_body": True})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b"last", "more_body": False})


@dataclass
class Door:
    app: App
    server: Server
    port: int

    async def connect(
        self, context: ssl.SSLContext
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.open_connection("127.0.0.1", self.port, ssl=context)

    async def shown(self, context: ssl.SSLContext) -> str:
        """The serial number of the certificate that a new connection is shown."""
        _, writer = await self.connect(context)
        with closing(writer) as stream:
            return serial(stream)

    async def until_shown(self, context: ssl.SSLContext, other_than: str) -> str:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.shown(context)  # the server tells nobody when it has renewed
                if found != other_than:
                    return found


@contextlib.contextmanager
def closing(writer: asyncio.StreamWriter) -> Iterator[ssl.SSLObject]:
    """Its TLS; the connection is gone after the block."""
    try:
        yield writer.get_extra_info("ssl_object")
    finally:
        writer.transport.abort()


async def heard_of(reader: asyncio.StreamReader) -> bytes:
    """What comes of a connection that is refused; in TLS 1.3 that is after its handshake."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except (ssl.SSLError, ConnectionError):
        return b""


@contextlib.asynccontextmanager
async def door(context: ssl.SSLContext, limits: WireLimits | None = None) -> AsyncIterator[Door]:
    app, listener = App(), listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    config = configuration(app, grace_s=1, limits=limits or WireLimits())
    async with serving(config, listener, context) as server:
        yield Door(app, server, port)
        app.may_end.set()


def tls_of(authority: Authority, name: str = "door", *, clients: bool = False) -> ssl.SSLContext:
    cert, key = authority.pair(name)
    return server_context(ServerTls(cert, key, authority.ca_file if clients else None), "--tls")


async def test_a_request_over_tls_is_answered_and_knows_its_scheme(authority: Authority) -> None:
    async with door(tls_of(authority)) as at:
        reader, writer = await at.connect(authority.client())
        with closing(writer):
            writer.write(GET)
            at.app.may_end.set()
            heard = await reader.readuntil(b"0\r\n\r\n")
    assert b"first https " in heard


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["http/1.1"]])
async def test_http_1_is_all_that_is_agreed_on(authority: Authority, offered: list[str]) -> None:
    context = authority.client()
    context.set_alpn_protocols(offered)
    async with door(tls_of(authority)) as at:
        _, writer = await at.connect(context)
        with closing(writer) as stream:
            assert stream.selected_alpn_protocol() == "http/1.1"
            assert stream.version() == "TLSv1.3"


async def test_tls_1_2_is_taken_and_nothing_below(authority: Authority) -> None:
    context = authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with door(tls_of(authority)) as at:
        assert await at.shown(context)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await at.connect(context)


async def test_who_speaks_no_tls_is_told_nothing(authority: Authority) -> None:
    async with door(tls_of(authority)) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(GET)
        with closing(writer):
            assert b"HTTP" not in await heard_of(reader)
        assert await at.shown(authority.client())


async def test_who_never_ends_its_handshake_is_closed(authority: Authority) -> None:
    async with door(tls_of(authority), WireLimits(head_s=0.3)) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"\x16\x03\x01")  # the beginning of a ClientHello
        with closing(writer):
            assert await heard_of(reader) == b""


async def test_who_drips_its_head_over_tls_is_closed(authority: Authority) -> None:
    async with door(tls_of(authority), WireLimits(head_s=0.3)) as at:
        reader, writer = await at.connect(authority.client())
        with closing(writer):
            writer.write(GET[:9])
            assert b"408" in await asyncio.wait_for(reader.readuntil(b"\r\n"), PATIENCE_S)


async def test_a_certificate_of_a_named_authority_opens_the_door_and_no_other_does(
    authority: Authority, stranger: Authority
) -> None:
    async with door(tls_of(authority, clients=True)) as at:
        reader, writer = await at.connect(authority.client(authority.pair("us", "a.example")))
        with closing(writer):
            writer.write(GET)
            assert b"200" in await reader.readline()
        for refused in (None, stranger.pair("them", "b.example")):
            reader, writer = await at.connect(authority.client(refused))
            with closing(writer):
                writer.write(GET)
                assert await heard_of(reader) == b""


async def test_a_renewed_certificate_is_shown_to_new_connections_and_cuts_no_stream(
    authority: Authority,
) -> None:
    client = authority.client()
    async with door(tls_of(authority)) as at:
        reader, writer = await at.connect(client)
        with closing(writer) as stream:
            writer.write(GET)
            await reader.readuntil(b"first https ")
            before = serial(stream)
            at.server.renew_tls(tls_of(authority))
            after = await at.until_shown(client, other_than=before)
            assert serial(stream) == before != after
            at.app.may_end.set()
            assert (await reader.readuntil(b"0\r\n\r\n")).endswith(b"last\r\n0\r\n\r\n")


async def test_connections_that_come_while_it_is_renewed_are_all_answered(
    authority: Authority,
) -> None:
    client = authority.client()
    contexts = [tls_of(authority) for _ in range(10)]
    async with door(contexts[0]) as at:
        at.app.may_end.set()

        async def ask() -> bytes:
            reader, writer = await at.connect(client)
            with closing(writer):
                writer.write(GET)
                return await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), PATIENCE_S)

        asking = []
        for context in contexts:
            asking += [asyncio.create_task(ask()) for _ in range(4)]
            at.server.renew_tls(context)
            await asyncio.sleep(0)
        answers = await asyncio.gather(*asking)
    assert len(answers) == 40
    assert all(b"last" in answer for answer in answers)


async def test_a_session_is_not_taken_up_again_after_its_authority_was_taken_back(
    authority: Authority, stranger: Authority
) -> None:
    client = authority.client(authority.pair("us", "a.example"))
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # its session is known when the handshake ends
    async with door(tls_of(authority, clients=True)) as at:

        def connect(session: ssl.SSLSession | None) -> ssl.SSLSession | None:
            with (
                socket.create_connection(("127.0.0.1", at.port)) as plain,
                client.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as stream,
            ):
                stream.sendall(GET)
                if not stream.recv(1):
                    raise ConnectionResetError
                return stream.session

        session = await asyncio.to_thread(connect, None)
        cert, key = authority.pair("door")
        at.server.renew_tls(server_context(ServerTls(cert, key, stranger.ca_file), "--tls"))
        async with asyncio.timeout(PATIENCE_S):
            while session is not None:  # until it is renewed
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    await asyncio.to_thread(connect, session)
                    continue
                session = None


def encrypted(authority: Authority) -> ServerTls:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # for this row alone

    cert, key = authority.pair("encrypted")
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )
    return ServerTls(cert, key)


def unusable(authority: Authority, case: str) -> ServerTls:
    cert, key = authority.pair("one")
    other = authority.pair("other")[1]
    empty = authority.directory / "empty.pem"
    empty.write_text("")
    match case:
        case "another's key":
            return ServerTls(cert, other)
        case "no PEM":
            return ServerTls(empty, key)
        case "no key":
            return ServerTls(cert)
        case "not there":
            return ServerTls(authority.directory / "no.pem", key)
        case "no authorities":
            return ServerTls(cert, key, empty)
        case _:
            return encrypted(authority)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("another's key", "key values mismatch"),
        ("no PEM", "--tls-cert"),
        ("no key", "--tls-cert"),
        ("not there", "No such file"),
        ("no authorities", "--tls-client-ca"),
        ("encrypted", "not encrypted"),
    ],
)
def test_files_that_cannot_be_used_are_named_with_what_may_be(
    authority: Authority, case: str, said: str
) -> None:
    files = unusable(authority, case)
    with pytest.raises(SettingsError) as raised:
        server_context(files, "--tls")
    assert said in str(raised.value)
    assert str(files.cert if case != "no authorities" else files.client_ca) in str(raised.value)
    assert "PRIVATE KEY" not in str(raised.value)


def test_a_key_may_stand_in_the_file_of_its_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    cert, key = authority.pair("both")
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    assert server_context(ServerTls(both), "--tls").verify_mode is ssl.CERT_NONE

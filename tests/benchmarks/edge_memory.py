"""What peers that nobody has identified can take of a gauger: its memory, and others' time.

`python -m tests.benchmarks.edge_memory [--drips 5000] [--json]`. Linux: memory is read from /proc.

A gauger runs as an operator runs it, before a model API on a raw socket. Memory is that of its
process, compared with its own before; times are compared with those of the same run.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.proxy.wire_limits import WireLimits
from tests.benchmarks.edge_peers import HEAD, HOST, flood, forget_peak, peak_kib, resident_kib
from tests.benchmarks.figures import table
from tests.parts.gauger_process import Gauger, gauger
from tests.parts.raw_server import Peer, RawServer, raw_server
from tests.proxy.stage import KEY, STREAMED, chunk
from tests.wire.conversation import SSE_HEAD, chunked, request
from tests.wire.recording import OK

CAP_BYTES = 2**20
CONNECTIONS = 200
FLOODS = 10
FLOOD_BYTES = 100 * 2**20
STREAMS = 20
HONEST_REQUESTS = 400
HONEST_EVERY_S = 0.01
SETTLED_S = 1.0
POLICY = "quotas:\n  - id: generous\n    limit: 1000000 requests/minute\n    per: account\n"


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    measured: float
    unit: str
    target: float

    @property
    def met(self) -> bool:
        return self.measured <= self.target


@dataclass(frozen=True, slots=True)
class Scene:
    gauger: Gauger
    model: RawServer

    @property
    def port(self) -> int:
        return urlsplit(self.gauger.url).port or 0

    @property
    def pid(self) -> int:
        return self.gauger.process.pid


async def model_api(peer: Peer) -> None:
    """Answers; a stream has no end."""
    while True:
        if b'"stream"' not in await peer.request():
            await peer.say(OK)
            continue
        await peer.say(SSE_HEAD)
        while True:
            await peer.say(chunked(chunk("la " * 1000)))


@contextlib.asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    policies = folder / "generous.yaml"
    policies.write_text(POLICY)
    async with (
        raw_server(model_api) as model,
        gauger(policies, model.url, "--body-limit", str(CAP_BYTES)) as running,
    ):
        made = Scene(running, model)
        await _honest_s(made, 50)
        yield made


async def unfinished_heads(on: Scene) -> list[Figure]:
    """As large as they may be without being refused, all held at once."""
    head = HEAD + b"X: " + b"a" * (WireLimits().head_bytes - len(HEAD) - 100)
    before = resident_kib(on.pid)
    writers = []
    for _ in range(CONNECTIONS):
        _, writer = await asyncio.open_connection(HOST, on.port)
        writers.append(writer)
        writer.write(head)
        await writer.drain()
    await asyncio.sleep(SETTLED_S)
    each = (resident_kib(on.pid) - before) / CONNECTIONS
    for writer in writers:
        writer.close()
    return [Figure("memory of a connection that holds back its head", each, "KiB", 128)]


async def endless_heads(on: Scene) -> list[Figure]:
    taken, sent_bytes = await _flooded(on, HEAD + b"X: ", b"a" * 16_384, 431)
    return [
        Figure("memory of a connection with an endless head", taken, "KiB", 128),
        Figure("what it could send, most of it into the kernel", sent_bytes / 1e6, "MB", 10),
    ]


async def large_bodies(on: Scene) -> list[Figure]:
    """With a length, and without: then a body is read up to the cap."""
    start = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gauger.test\r\n"
    start += b"Authorization: Bearer " + KEY.encode() + b"\r\n"
    figures = []
    for what, field, piece, cap_kib in (
        ("a length", b"Content-Length: 104857600", b"a" * 65_536, 0),
        (
            "chunks",
            b"Transfer-Encoding: chunked",
            b"10000\r\n" + b"a" * 65_536 + b"\r\n",
            CAP_BYTES // 1024,
        ),
    ):
        taken, sent_bytes = await _flooded(on, start + field + b"\r\n\r\n", piece, 413)
        figures += [
            Figure(f"memory of a body of 100 MB with {what}", taken, "KiB", cap_kib + 256),
            Figure("what of it could be sent", sent_bytes / 1e6, "MB", 10),
        ]
    return figures


async def _flooded(on: Scene, beginning: bytes, piece: bytes, status: int) -> tuple[float, float]:
    """At its peak, KiB for each of several at once; the bytes that each could send."""
    await flood(on.port, beginning, piece, FLOOD_BYTES)  # what the process takes but once
    before = resident_kib(on.pid)
    forget_peak(on.pid)
    peers = await asyncio.gather(
        *(flood(on.port, beginning, piece, FLOOD_BYTES) for _ in range(FLOODS))
    )
    for peer in peers:
        if not peer.heard.startswith(b"HTTP/1.1 %d " % status):
            raise SystemExit(f"expected {status}, heard {bytes(peer.heard[:40])!r}")
    taken = (peak_kib(on.pid) - before) / FLOODS
    return taken, sum(peer.sent_bytes for peer in peers) / FLOODS


async def stalled_readers(on: Scene) -> list[Figure]:
    before = resident_kib(on.pid)
    writers = []
    for _ in range(STREAMS):
        reader, writer = await asyncio.open_connection(HOST, on.port)
        writers.append(writer)
        writer.write(request(STREAMED))
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a TCP transport
    await _come_to_rest(on.model)
    each = (resident_kib(on.pid) - before) / STREAMS
    for writer in writers:
        writer.transport.abort()
    return [Figure("memory of a stream that nobody reads", each, "KiB", 1024)]


def slow_heads(drips: int) -> Callable[[Scene], Awaitable[list[Figure]]]:
    async def measure(on: Scene) -> list[Figure]:
        calm = await _honest_s(on, HONEST_REQUESTS)
        arguments = ("-m", "tests.benchmarks.edge_peers", str(on.port), str(drips))
        peers = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
        )
        said = asyncio.create_task(peers.communicate())
        besieged: list[float] = []
        while not said.done():
            besieged += await _honest_s(on, HONEST_REQUESTS // 20)
        calm += await _honest_s(on, HONEST_REQUESTS)
        held_s = float((await said)[0])
        return [
            Figure(f"the slowest of {drips} connections that drip, held", held_s, "s", 10),
            Figure("p50 of honest requests meanwhile", _ratio(besieged, calm, 0.50), "x", 2),
            Figure("p99 of the same", _ratio(besieged, calm, 0.99), "x", 2),
        ]

    return measure


def _ratio(one: list[float], other: list[float], share: float) -> float:
    return sorted(one)[int(len(one) * share)] / sorted(other)[int(len(other) * share)]


async def _honest_s(on: Scene, count: int) -> list[float]:
    """How long requests at a steady rate on one connection took."""
    reader, writer = await asyncio.open_connection(HOST, on.port)
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        writer.write(request(b"", start=b"GET /v1/models HTTP/1.1"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        took.append(time.perf_counter() - began)
        await asyncio.sleep(HONEST_EVERY_S)
    writer.close()
    return took


async def _come_to_rest(model: RawServer) -> None:
    """Until nothing more is taken from the model API."""
    sent = -1
    while sent != (now := sum(peer.sent_bytes for peer in model.peers)):
        sent = now
        await asyncio.sleep(SETTLED_S)


async def measure(folder: Path, drips: int) -> list[Figure]:
    figures: list[Figure] = []
    parts = (unfinished_heads, endless_heads, large_bodies, stalled_readers, slow_heads(drips))
    for part in parts:
        async with scene(folder) as on:
            figures += await part(on)
    return figures


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--drips", type=int, default=5000)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), given.drips))
    if given.json:
        sys.stdout.write(json.dumps([asdict(f) | {"met": f.met} for f in figures]) + "\n")
        return
    rows = [
        (f.what, f"{f.measured:.1f} {f.unit}", f"{f.target:g} {f.unit}", "yes" if f.met else "NO")
        for f in figures
    ]
    sys.stdout.write(table(("what", "measured", "at most", "met"), rows) + "\n")


if __name__ == "__main__":
    main()

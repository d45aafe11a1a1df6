"""Peers that a door must survive, as plain sockets; and how much memory a process holds.

`python -m tests.benchmarks.edge_peers PORT COUNT` opens that many connections, sends a byte of a
header on each every second until all are closed, and prints how long the slowest was held.
"""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
HEAD = b"GET /v1/models HTTP/1.1\r\nHost: gauger.test\r\n"
BYTE_S = 1.0
AT_ONCE = 16
PATIENCE_S = 60.0


def resident_kib(pid: int) -> int:
    return _kib(pid, "VmRSS:")


def peak_kib(pid: int) -> int:
    """Since `forget_peak`."""
    return _kib(pid, "VmHWM:")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _kib(pid: int, what: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    raise LookupError(what)


@dataclass
class Flood(asyncio.Protocol):
    """Says its beginning, then the same piece for as long as it is taken."""

    beginning: bytes
    piece: bytes
    most_bytes: int
    sent_bytes: int = 0
    heard: bytearray = field(default_factory=bytearray)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._may_send = True
        transport.set_write_buffer_limits(high=0)  # type: ignore[attr-defined]  # a TCP transport
        transport.write(self.beginning)  # type: ignore[attr-defined]
        self._go_on()

    def _go_on(self) -> None:
        if self._may_send and self.sent_bytes < self.most_bytes and not self.closed.is_set():
            self._transport.write(self.piece)  # type: ignore[attr-defined]
            self.sent_bytes += len(self.piece)
            asyncio.get_running_loop().call_soon(self._go_on)

    def pause_writing(self) -> None:
        self._may_send = False

    def resume_writing(self) -> None:
        self._may_send = True
        self._go_on()

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def eof_received(self) -> bool:
        self.closed.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.closed.set()


async def flood(port: int, beginning: bytes, piece: bytes, most_bytes: int) -> Flood:
    """Until the other side has closed."""
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_connection(
        lambda: Flood(beginning, piece, most_bytes), HOST, port
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await peer.closed.wait()
    finally:
        transport.abort()
    return peer


async def _drip(port: int, gate: asyncio.Semaphore) -> float:
    """How many seconds it was held."""
    async with gate:
        reader, writer = await asyncio.open_connection(HOST, port)
    began = time.monotonic()
    writer.write(HEAD + b"X: ")

    async def drip() -> None:
        while True:
            await asyncio.sleep(BYTE_S)
            writer.write(b"a")

    dripping = asyncio.create_task(drip())
    with contextlib.suppress(ConnectionError):
        await reader.read()
    held_s = time.monotonic() - began
    dripping.cancel()
    writer.close()
    return held_s


async def drip_all(port: int, count: int) -> float:
    gate = asyncio.Semaphore(AT_ONCE)
    async with asyncio.timeout(PATIENCE_S):
        return max(await asyncio.gather(*(_drip(port, gate) for _ in range(count))))


if __name__ == "__main__":
    slowest_s = asyncio.run(drip_all(int(sys.argv[1]), int(sys.argv[2])))
    sys.stdout.write(f"{slowest_s:.2f}\n")

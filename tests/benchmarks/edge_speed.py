"""What the hardened protocol costs a request, beside uvicorn's own on the same parser.

`python -m tests.benchmarks.edge_speed [--rounds 15] [--json]`

No sockets: both protocols are fed the same bytes in one process, round by round in turn, around the
same app, which reads the body and answers. The smallest round of each counts: what is above it is
the machine's other work. Only the differences and ratios of one run mean anything.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.http_protocol import strict_http
from gateway.proxy.server import configuration, run
from gateway.proxy.wire_limits import WireLimits
from tests.benchmarks.figures import table

REQUESTS_A_ROUND = 2000
BODY = b"x" * 1700
HEAD = (
    b"Host: 127.0.0.1:8080\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    b"Accept: application/json\r\nUser-Agent: OpenAI/Python 3.3.0\r\nX-Stainless-Lang: python\r\n"
    b"X-Stainless-Package-Version: 3.3.0\r\nX-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\n"
    b"X-Stainless-Runtime: CPython\r\nX-Stainless-Runtime-Version: 3.11.7\r\n"
    b"Authorization: Bearer sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
    b"X-Stainless-Async: false\r\nx-stainless-retry-count: 0\r\n"
)
"""As the OpenAI SDK for Python sends it."""

POST = b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
WITH_LENGTH = POST + b"Content-Length: 1700\r\n\r\n"
REQUESTS = {
    "GET": [b"GET /v1/models HTTP/1.1\r\n" + HEAD + b"\r\n"],
    "POST of 1.7 kB": [WITH_LENGTH + BODY],
    "the same in two packets": [WITH_LENGTH, BODY],
    "the same in one chunk": [
        POST + b"Transfer-Encoding: chunked\r\n\r\n6a4\r\n" + BODY + b"\r\n0\r\n\r\n"
    ],
}


@dataclass(frozen=True, slots=True)
class Cost:
    request: str
    stock_us: float
    strict_us: float

    @property
    def added_us(self) -> float:
        return self.strict_us - self.stock_us


class _Wire(asyncio.Transport):
    """Counts answers."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 8080), "peername": ("127.0.0.1", 50000)})
        self.answers = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.answers += bytes(data[:5]) == b"HTTP/"

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        raise AssertionError("nothing here is to be refused")

    close = write_eof = abort


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    while (await receive())["more_body"]:
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok", "more_body": False})


async def _round_us(protocol: HttpToolsProtocol, wire: _Wire, packets: list[bytes]) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS_A_ROUND):
        due = wire.answers + 1
        for packet in packets:
            protocol.data_received(packet)
        while wire.answers < due:  # noqa: ASYNC110  # the turns of the loop are part of the cost
            await asyncio.sleep(0)
    return (time.perf_counter() - began) / REQUESTS_A_ROUND * 1e6


def _connected(
    kind: type[HttpToolsProtocol], config: uvicorn.Config
) -> tuple[HttpToolsProtocol, _Wire]:
    protocol, wire = kind(config, ServerState(), {}, asyncio.get_running_loop()), _Wire()
    protocol.connection_made(wire)
    return protocol, wire


async def measure(rounds: int) -> list[Cost]:
    config = configuration(app, grace_s=1)
    config.timeout_keep_alive = 75  # for the stock protocol: ours has its own
    costs = []
    for name, packets in REQUESTS.items():
        kinds = {
            "stock": _connected(HttpToolsProtocol, config),
            "strict": _connected(strict_http(WireLimits()), config),
        }
        best = dict.fromkeys(kinds, float("inf"))
        for _ in range(rounds):
            for kind, (protocol, wire) in kinds.items():
                best[kind] = min(best[kind], await _round_us(protocol, wire, packets))
        for protocol, _ in kinds.values():
            protocol.connection_lost(ConnectionResetError())
        costs.append(Cost(name, best["stock"], best["strict"]))
    return costs


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    costs = run(measure(given.rounds))
    if given.json:
        figures = [asdict(cost) | {"added_us": cost.added_us} for cost in costs]
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    rows = [
        (
            cost.request,
            f"{cost.stock_us:.1f}",
            f"{cost.strict_us:.1f}",
            f"{cost.added_us:+.1f}",
            f"{cost.strict_us / cost.stock_us:.2f}",
        )
        for cost in costs
    ]
    sys.stdout.write(table(("request", "stock us", "strict us", "added us", "ratio"), rows) + "\n")


if __name__ == "__main__":
    main()

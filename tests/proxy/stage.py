"""A gateway between a scripted client and a scripted model API, with a store that keeps a ledger.

Everything is told by events; nothing sleeps.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.admission import Admission, Rules
from gateway.decision.finished import Finished
from gateway.decision.plan import Charge
from gateway.decision.port import Reading, Reservation, Reserved, SettledCharge
from gateway.errors import StoreUnavailable
from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.dialects.port import Headers
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.identity.identities import Identities
from gateway.policy.quota import SECOND_US, Policies, Unit
from gateway.proxy.asgi import App, Message, Receive, Scope, Send
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.intake import UpstreamKey
from gateway.proxy.middleware import Gateway
from gateway.proxy.selection import Select, the_only_one
from tests.parts.values import limit, policies, quota

NOW_US = 1_780_000_000 * SECOND_US
KEY = "sk-caller-0123456789"
QUESTION: dict[str, Any] = {
    "model": "small",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "How far is the moon?"}],
}
STREAMED = {**QUESTION, "stream": True}
SSE: Headers = [(b"content-type", b"text/event-stream")]
JSON: Headers = [(b"content-type", b"application/json")]


def chunk(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return b"data: " + json.dumps({"id": "c1", "choices": [choice]}).encode() + b"\n\n"


USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
USAGE_CHUNK = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"
DONE = b"data: [DONE]\n\n"
ANSWER = json.dumps(
    {
        "id": "c1",
        "model": "small-1",
        "choices": [{"index": 0, "message": {"content": "Far."}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()


class Ledger:
    """A store that only writes down; slow by a turn of the loop, so that it can be interrupted."""

    def __init__(self) -> None:
        self.reserved: list[str] = []
        self.settled: list[tuple[str, dict[Unit, int]]] = []
        self.renewals: asyncio.Queue[str] = asyncio.Queue()
        self.may_reserve = asyncio.Event()
        self.may_reserve.set()
        self.may_settle = asyncio.Event()
        self.may_settle.set()
        self.asked = asyncio.Event()
        self.refuses = False
        self.refuses_more = False
        """What was reserved is all that there is: no stream gets more."""
        self.away_for_more = 0
        self.away_for_settlements = 0
        self.away_for_renewals = 0

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        del account  # nobody is shut out here
        is_more = "." in reservation_id
        fits = not (self.refuses or (is_more and self.refuses_more))
        if is_more and self.away_for_more:
            self.away_for_more -= 1
            raise StoreUnavailable("away", kind="refused")
        if fits:  # a command that is on its way is carried out, whoever waits for the reply
            self.reserved.append(reservation_id)
        self.asked.set()
        await asyncio.sleep(0)
        await self.may_reserve.wait()
        readings = tuple(
            Reading(
                used=charge.amount,
                fits=fits,
                charged=fits,
                retry_after_us=0 if fits else 17 * SECOND_US,
                full_after_us=60 * SECOND_US,
            )
            for charge in charges
        )
        return Reserved(fits, NOW_US, readings)

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> bool:
        await asyncio.sleep(0)
        await self.may_settle.wait()
        if self.away_for_settlements:
            self.away_for_settlements -= 1
            raise StoreUnavailable("away", kind="timeout")
        self.settled.append((reservation.id, {s.charge.limit.unit: s.actual for s in settled}))
        return True

    async def renew(self, reservation: Reservation) -> None:
        if self.away_for_renewals:
            self.away_for_renewals -= 1
            raise StoreUnavailable("away", kind="timeout")
        await self.renewals.put(reservation.id)

    async def open_reservations(self) -> int:
        return len(set(self.reserved) - {reservation_id for reservation_id, _ in self.settled})

    async def ping(self) -> None:
        return

    async def aclose(self) -> None:
        return


class Trace:
    def upstream_headers(self) -> Headers:
        return [(b"traceparent", b"ours")]


@dataclass
class Told:
    """An observer that remembers."""

    finished: list[Finished] = field(default_factory=list)
    begun: list[Headers] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    def begin(self, headers: Headers, started_at_us: int) -> Trace:
        assert started_at_us == NOW_US
        self.begun.append(headers)
        return Trace()

    def finish(self, trace: Trace, finished: Finished) -> None:
        assert isinstance(trace, Trace)
        self.finished.append(finished)

    def settlement_failed(self, request_id: str, kind: str) -> None:
        assert request_id.startswith("req_")
        self.unsettled.append(kind)


class Model:
    """The app behind the gateway: plays a script, and knows what came and how it was left."""

    def __init__(self, script: Callable[[Send], Awaitable[None]]) -> None:
        self._script = script
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []
        self.called = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert message["more_body"] is False
        self.scopes.append(scope)
        self.bodies.append(message["body"])
        self.called.set()
        try:
            await self._script(send)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def head(send: Send, headers: Headers = JSON, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def piece(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def answering(body: bytes = ANSWER, *, status: int = 200, headers: Headers = JSON) -> Model:
    async def script(send: Send) -> None:
        await asyncio.sleep(0)
        await head(send, headers, status)
        await asyncio.sleep(0)
        await piece(send, body)
        await asyncio.sleep(0)
        await piece(send, b"", more=False)

    return Model(script)


def streaming(*pieces: bytes, then: Callable[[], Awaitable[None]] | None = None) -> Model:
    async def script(send: Send) -> None:
        await head(send, SSE)
        for data in pieces:
            await asyncio.sleep(0)
            await piece(send, data)
        if then is not None:
            await then()
        await piece(send, b"", more=False)

    return Model(script)


async def forever() -> None:
    await asyncio.Event().wait()


class Caller:
    """One exchange as the server's side of ASGI sees it."""

    def __init__(
        self,
        gateway: App,
        *,
        method: str = "POST",
        path: str = "/v1/chat/completions",
        headers: Headers | None = None,
        body: object = QUESTION,
        pieces: Sequence[bytes] | None = None,
        more_headers: Headers | None = None,
    ) -> None:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._pieces = [sent] if pieces is None else list(pieces)
        given = [(b"authorization", b"Bearer " + KEY.encode())] if headers is None else headers
        self._headers = [*given, *(more_headers or [])]
        self._gateway = gateway
        self._method = method
        self._path = path
        self._left = asyncio.Event()
        self._over = asyncio.Event()
        self.sent: list[Message] = []
        self._news: asyncio.Queue[Message] = asyncio.Queue()

    @property
    def scope(self) -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._method,
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": self._headers,
            "client": ("192.0.2.1", 40000),
            "server": ("192.0.2.9", 80),
        }

    async def receive(self) -> Message:
        await asyncio.sleep(0)
        if self._pieces:
            data = self._pieces.pop(0)
            return {"type": "http.request", "body": data, "more_body": bool(self._pieces)}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0)
        self.sent.append(message)
        self._news.put_nowait(message)

    def leave(self) -> None:
        self._left.set()

    async def next(self) -> Message:
        return await self._news.get()

    def start(self) -> "asyncio.Task[None]":
        async def run() -> None:
            await self._gateway(self.scope, self.receive, self.send)

        return asyncio.create_task(run())

    async def run(self) -> "Caller":
        await self._gateway(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def completed(self) -> bool:
        return bool(self.sent) and self.sent[-1].get("more_body") is False


@dataclass
class Stage:
    model: Model
    gateway: Gateway
    store: Ledger
    told: Told
    rules: Rules

    async def settled(self) -> dict[Unit, int]:
        """What the one exchange was charged, after everything has come to rest."""
        await self.rest()
        assert len(self.store.settled) == 1
        return self.store.settled[0][1]

    async def rest(self) -> None:
        assert await self.gateway.drain(5.0)

    @property
    def finished(self) -> Finished:
        assert len(self.told.finished) == 1
        return self.told.finished[0]


def stage(
    model: Model,
    *,
    upstream_key: str | None = None,
    select: Select | None = None,
    routes: tuple[DeclaredRoute, ...] = (),
    limits: EdgeLimits | None = None,
    lease_us: int = 30 * SECOND_US,
    identities: Identities | None = None,
) -> Stage:
    store, told = Ledger(), Told()
    in_force = policies(
        quota(
            limit(600, Unit.REQUESTS),
            limit(100_000, Unit.INPUT_TOKENS),
            limit(100_000, Unit.OUTPUT_TOKENS),
            limit(8, Unit.CONCURRENT, lease_us=lease_us),
        )
    )
    rules = Rules(Policies(in_force.quotas, in_force.digest, routes=routes))
    ids = iter(range(1_000_000))
    gateway = Gateway(
        model,
        admission=Admission(store, rules, OutputEstimator(), lambda: f"r{next(ids)}"),
        identifier=Identifier(Secret(b"secret of the tests"), identities or Identities()),
        telemetry=told,
        limits=limits or EdgeLimits(),
        clock=lambda: NOW_US,
        select=select or the_only_one(UpstreamKey(upstream_key) if upstream_key else None),
        routes=lambda: rules.routes,
    )
    return Stage(model, gateway, store, told, rules)

"""The gateway as an ASGI middleware: around what forwards, or around the model server itself."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Any

from gateway.admission import Admission
from gateway.assessment import Assessment
from gateway.behaviour.watch import Watch
from gateway.decision.finished import Ending
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.dialects.route_table import RouteTable
from gateway.policy.behaviour import Behaviours
from gateway.proxy.asgi import App, Receive, Scope, Send
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.observer import Observer
from gateway.proxy.passage import Passage, Shared
from gateway.proxy.selection import Select, the_only_one

_log = logging.getLogger(__name__)


class Gateway:
    """Holds every exchange to its quotas. Shared by all exchanges; each gets a `Passage`."""

    def __init__(
        self,
        app: App,
        *,
        admission: Admission,
        identifier: Identifier,
        telemetry: Observer[Any],
        limits: EdgeLimits,
        clock: Callable[[], int],
        select: Select | None = None,
        routes: Callable[[], RouteTable] = lambda: BUILT_IN,
        keep_body: Callable[[str, bytes], None] = lambda _exchange, _body: None,
        assessment: Assessment | None = None,
    ) -> None:
        """`clock` is the wall clock, in microseconds.

        Without `select` there is one upstream, and the callers' own credentials go on. `routes`
        is asked for each exchange, once: what is served may change while traffic flows.
        `keep_body` hears of what is asked, by the exchange's id, before it is judged. Without an
        `assessment` no behaviour is watched.
        """
        self._shared = Shared(
            app,
            admission,
            identifier,
            telemetry,
            limits,
            clock,
            select or the_only_one(),
            routes,
            assessment or Assessment(Watch(Behaviours(), secrets.token_bytes(32))),
            keep_body,
            name=b"1.1 gauger-" + secrets.token_hex(8).encode(),
        )
        self._passing = 0
        self._turned_away = 0
        """Of these: whoever is being told so takes no room from others."""
        self._idle = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._shared.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_websocket(receive, send)
        else:
            await self._exchange(scope, receive, send)

    @property
    def passing(self) -> int:
        """Exchanges under way."""
        return self._passing

    async def drain(self, patience_s: float) -> bool:
        """Until every exchange has ended and is settled; False if that took too long.

        Then what was left is given up, loudly, and its reservations stand.
        """
        try:
            async with asyncio.timeout(patience_s):
                while self._passing or self._shared.background.pending:
                    await self._shared.background.wait()
                    if self._passing:
                        self._idle.clear()
                        await self._idle.wait()
        except TimeoutError:
            _log.error(
                "shutdown: %d exchanges and %d settlements given up after %g s",
                self._passing,
                self._shared.background.abandon(),
                patience_s,
            )
            return False
        return True

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        passage = Passage(self._shared, new_request_id(), scope, receive, send)
        full = self._passing - self._turned_away >= self._shared.limits.exchanges
        self._passing += 1
        self._turned_away += full
        try:
            await (passage.turn_away() if full else passage.run())
        finally:
            passage.end(Ending.FAILED)
            self._passing -= 1
            self._turned_away -= full
            if not self._passing:
                self._idle.set()


def new_request_id() -> str:
    return "req_" + secrets.token_hex(12)


async def refuse_websocket(receive: Receive, send: Send) -> None:
    """Before the handshake a close is a 403. No quota knows how to count a socket."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})

"""/healthz, /readyz and /metrics, for machines that have no token; also on a port of their own."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.console.answers import json_answer
from gateway.console.host import ThisMachineOnly
from gateway.console.safe_headers import SafeHeaders
from gateway.console.status import ConsoleStatus
from gateway.telemetry.metrics import CONTENT_TYPE

STATUS_TIMEOUT_S = 2.0
"""Kubernetes waits for a probe for 1 s by default and is often told 5: an answer that says why is
worth more than none."""

_SERVICE_UNAVAILABLE = 503

Status = Callable[[], Awaitable[ConsoleStatus]]
MetricsText = Callable[[], Awaitable[bytes]]


class Probes:
    """How the process is, in the three forms in which machines ask."""

    def __init__(self, status: Status, metrics_text: MetricsText) -> None:
        self._status = status
        self._metrics_text = metrics_text

    async def alive(self, _: Request) -> Response:
        """The process answers. Says nothing of the store: a restart would not bring it back."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        status = await self.ask()
        reason = status if isinstance(status, str) else status.unready
        if reason is not None:
            return json_answer({"ready": False, "reason": reason}, _SERVICE_UNAVAILABLE)
        if not isinstance(status, str) and status.degraded:
            return json_answer({"ready": True, "degraded": status.degraded})
        return json_answer({"ready": True})

    async def metrics(self, _: Request) -> Response:
        return Response(await self._metrics_text(), media_type=CONTENT_TYPE)

    async def ask(self) -> ConsoleStatus | str:
        """The status, or why there is none."""
        try:
            async with asyncio.timeout(STATUS_TIMEOUT_S):
                return await self._status()
        except TimeoutError:
            return f"the status could not be read within {STATUS_TIMEOUT_S:g} s"
        except Exception as error:  # noqa: BLE001  # a probe that fails must say so, not break off
            return f"the status could not be read: {type(error).__name__}"


def make_probes(
    *, status: Status, metrics_text: MetricsText, with_metrics: bool, this_machine_only: bool
) -> Starlette:
    """Nothing else is there. Who is asked for by a foreign name on loopback answers nobody."""
    probes = Probes(status, metrics_text)
    routes = [Route("/healthz", probes.alive), Route("/readyz", probes.ready)]
    if with_metrics:
        routes.append(Route("/metrics", probes.metrics))
    local = [Middleware(ThisMachineOnly)] if this_machine_only else []
    return Starlette(routes=routes, middleware=[Middleware(SafeHeaders), *local])

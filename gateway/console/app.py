"""The console's routes. All are read, but for `POST /reload` and what is done to accounts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.account_routes import account_routes
from gateway.console.accounts import AccountDesk
from gateway.console.changing import reason_to_refuse
from gateway.console.host import ThisMachineOnly
from gateway.console.pages import POLICY, SHOWN, status_page, unavailable_page
from gateway.console.status import ConsoleStatus
from gateway.reload import Outcome, Reloaded
from gateway.telemetry.metrics import CONTENT_TYPE
from gateway.telemetry.recent import KEPT, RecentDecisions

STATUS_TIMEOUT_S = 2.0
"""Kubernetes waits for a probe for 1 s by default and is often told 5: an answer that says why is
worth more than none."""

_SERVICE_UNAVAILABLE = 503
_BAD_REQUEST = 400
_FORBIDDEN = 403
_UNPROCESSABLE = 422

Status = Callable[[], Awaitable[ConsoleStatus]]
MetricsText = Callable[[], Awaitable[bytes]]
Reload = Callable[[], Awaitable[Sequence[Reloaded]]]


def make_console(
    *,
    recent: RecentDecisions,
    metrics_text: MetricsText,
    status: Status,
    reload: Reload,
    accounts: AccountDesk,
) -> Starlette:
    """`status` asks the store each time it is called; it may raise or hang."""
    console = _Console(recent, metrics_text, status, reload)
    return Starlette(
        routes=[
            Route("/", console.page),
            Route("/decisions", console.decisions),
            Route("/metrics", console.metrics),
            Route("/healthz", console.alive),
            Route("/readyz", console.ready),
            Route("/reload", console.reload, methods=["POST"]),
            *account_routes(accounts),
        ],
        middleware=[Middleware(_SafeHeaders), Middleware(ThisMachineOnly)],
    )


class _Console:
    def __init__(
        self, recent: RecentDecisions, metrics_text: MetricsText, status: Status, reload: Reload
    ) -> None:
        self._recent = recent
        self._metrics_text = metrics_text
        self._status = status
        self._reload = reload

    async def page(self, _: Request) -> Response:
        status = await self._ask()
        if isinstance(status, str):
            return HTMLResponse(unavailable_page(status), _SERVICE_UNAVAILABLE)
        return HTMLResponse(status_page(status, self._recent.rows(limit=SHOWN)))

    async def decisions(self, request: Request) -> Response:
        asked = request.query_params
        unknown = sorted(set(asked) - {"request_id", "account", "limit"})
        limit = _limit(asked.get("limit", str(KEPT)))
        if unknown:
            return _mistake(f"{unknown[0]!r} is no filter. Allowed: request_id, account, limit.")
        if limit is None:
            return _mistake(f"limit is a whole number from 1 to {KEPT}.")
        rows = self._recent.rows(
            request_id=asked.get("request_id"), account=asked.get("account"), limit=limit
        )
        return _json({"decisions": rows})

    async def metrics(self, _: Request) -> Response:
        return Response(await self._metrics_text(), media_type=CONTENT_TYPE)

    async def alive(self, _: Request) -> Response:
        """The process answers. Says nothing of the store: a restart would not bring it back."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        status = await self._ask()
        reason = status if isinstance(status, str) else status.unready
        if reason is not None:
            return _json({"ready": False, "reason": reason}, _SERVICE_UNAVAILABLE)
        if not isinstance(status, str) and status.degraded:
            return _json({"ready": True, "degraded": status.degraded})
        return _json({"ready": True})

    async def reload(self, request: Request) -> Response:
        """422 if anything was refused; what was in force then stays."""
        reason = reason_to_refuse(request)
        if reason is not None:
            return _json({"error": reason}, _FORBIDDEN)
        reloaded = await self._reload()
        refused = any(one.outcome is Outcome.REFUSED for one in reloaded)
        told = {
            one.what: {"outcome": one.outcome, "in_force": one.digest, "problems": one.problems}
            for one in reloaded
        }
        return _json(told, _UNPROCESSABLE if refused else 200)

    async def _ask(self) -> ConsoleStatus | str:
        """The status, or why there is none."""
        try:
            async with asyncio.timeout(STATUS_TIMEOUT_S):
                return await self._status()
        except TimeoutError:
            return f"the status could not be read within {STATUS_TIMEOUT_S:g} s"
        except Exception as error:  # noqa: BLE001  # a probe that fails must say so, not break off
            return f"the status could not be read: {type(error).__name__}"


class _SafeHeaders:
    """On every answer: nothing is cached, framed, sniffed or loaded from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(
                    {
                        "content-security-policy": POLICY,
                        "x-content-type-options": "nosniff",
                        "x-frame-options": "DENY",
                        "referrer-policy": "no-referrer",
                        "cross-origin-resource-policy": "same-origin",
                        "cache-control": "no-store",
                    }
                )
            await send(message)

        await self._app(scope, receive, send_safely)


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value) + b"\n", status, media_type="application/json")


def _limit(text: str) -> int | None:
    try:
        limit = int(text)
    except ValueError:
        return None
    return limit if 1 <= limit <= KEPT else None


def _mistake(text: str) -> Response:
    return _json({"error": text}, _BAD_REQUEST)

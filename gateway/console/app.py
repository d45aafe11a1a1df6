"""The console's routes. All are read, but for `POST /reload` and what is done to accounts."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gateway.console.account_routes import account_routes
from gateway.console.accounts import AccountDesk
from gateway.console.answers import json_answer
from gateway.console.audit import AuditLog
from gateway.console.changing import reason_to_refuse
from gateway.console.fleet_routes import fleet_routes
from gateway.console.fleets import FleetDesk
from gateway.console.host import ThisMachineOnly
from gateway.console.pages import SHOWN, status_page, unavailable_page
from gateway.console.probes import MetricsText, Probes, Status
from gateway.console.safe_headers import SafeHeaders
from gateway.console.token import AdminToken, TokenRequired, operator
from gateway.reload import Outcome, Reloaded
from gateway.telemetry.recent import KEPT, RecentDecisions

_SERVICE_UNAVAILABLE = 503
_BAD_REQUEST = 400
_FORBIDDEN = 403
_UNPROCESSABLE = 422

Reload = Callable[[], Awaitable[Sequence[Reloaded]]]


def make_console(
    *,
    recent: RecentDecisions,
    metrics_text: MetricsText,
    status: Status,
    reload: Reload,
    accounts: AccountDesk,
    fleets: FleetDesk | None = None,
    token: AdminToken | None = None,
) -> Starlette:
    """`status` asks the store each time it is called; it may raise or hang.

    Without a token whoever calls this machine by its own name may do everything.
    """
    probes = Probes(status, metrics_text)
    console = _Console(recent, probes, reload, accounts.audit)
    door = (
        Middleware(ThisMachineOnly)
        if token is None
        # What a name leads to matters no more: a browser remembers a password by the name.
        else Middleware(TokenRequired, token=token, audit=accounts.audit)
    )
    return Starlette(
        routes=[
            Route("/", console.page),
            Route("/decisions", console.decisions),
            Route("/metrics", probes.metrics),
            Route("/healthz", probes.alive),
            Route("/readyz", probes.ready),
            Route("/reload", console.reload, methods=["POST"]),
            *account_routes(accounts),
            *(fleet_routes(fleets) if fleets is not None else []),
        ],
        middleware=[Middleware(SafeHeaders), door],
    )


class _Console:
    def __init__(
        self, recent: RecentDecisions, probes: Probes, reload: Reload, audit: AuditLog
    ) -> None:
        self._recent = recent
        self._probes = probes
        self._reload = reload
        self._audit = audit

    async def page(self, _: Request) -> Response:
        status = await self._probes.ask()
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
        return json_answer({"decisions": rows})

    async def reload(self, request: Request) -> Response:
        """422 if anything was refused; what was in force then stays."""
        reason = reason_to_refuse(request)
        if reason is not None:
            return json_answer({"error": reason}, _FORBIDDEN)
        reloaded = await self._reload()
        refused = any(one.outcome is Outcome.REFUSED for one in reloaded)
        told = {
            one.what: {"outcome": one.outcome, "in_force": one.digest, "problems": one.problems}
            for one in reloaded
        }
        self._audit.reloaded(operator(request), reloaded)
        return json_answer(told, _UNPROCESSABLE if refused else 200)


def _limit(text: str) -> int | None:
    try:
        limit = int(text)
    except ValueError:
        return None
    return limit if 1 <= limit <= KEPT else None


def _mistake(text: str) -> Response:
    return json_answer({"error": text}, _BAD_REQUEST)

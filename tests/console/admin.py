"""The console with a token, over loopback, as those who have it and those who have not see it."""

import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx

from gateway.console import AccountDesk, AdminToken, AuditLog, ConsoleStatus, make_console
from gateway.facts.principal import Secret
from gateway.guessing import Guesses
from gateway.reload import Outcome, Reloaded
from gateway.store.memory import MemoryStore
from gateway.telemetry import Telemetry
from tests.console.statuses import status
from tests.parts.clock import Clock
from tests.parts.serving import serving
from tests.parts.values import limit, policies, quota

TOKEN = "the-admin-token-of-these-tests-0123456789"
SECRET = Secret(b"secret of the tests")
FINGERPRINT = SECRET.pseudonym(TOKEN)[:8]
BEARER = {"authorization": f"Bearer {TOKEN}"}
CHANGE = {"x-gauger-admin": "1"}


def basic(password: str, name: str = "anybody") -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


@contextlib.asynccontextmanager
async def guarded(
    *, per_minute: int = 20, audit_file: Path | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    telemetry = Telemetry()

    async def well() -> ConsoleStatus:
        return status()

    async def metrics_text() -> bytes:
        return telemetry.metrics.text()

    async def reload() -> Sequence[Reloaded]:
        return [Reloaded("policies", Outcome.UNCHANGED, "3fa94c17e0b2")]

    in_force = policies(quota(limit(3, quota_id="requests")))
    made = make_console(
        recent=telemetry.recent,
        metrics_text=metrics_text,
        status=well,
        reload=reload,
        accounts=AccountDesk(
            MemoryStore(Clock()),
            lambda: in_force,
            lambda _: None,
            AuditLog(Clock(), audit_file),
        ),
        token=AdminToken.of(SECRET, TOKEN.encode(), Guesses(per_minute)),
    )
    async with (
        serving(made) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client

"""The admin API on accounts, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from gateway.console.account_routes import account_routes
from gateway.console.accounts import AccountDesk
from gateway.console.audit import AuditLog
from gateway.decision.port import Reserved
from gateway.errors import StoreUnavailable
from gateway.store.memory import MemoryStore
from tests.parts.clock import Clock
from tests.parts.values import charge, limit, policies, quota

ADMIN = {"x-gauger-admin": "1"}
IN_FORCE = policies(quota(limit(3, quota_id="requests")))


class Absent(MemoryStore):
    async def inspect(self, account: str, charges: tuple[Any, ...]) -> Reserved:
        del account, charges
        raise StoreUnavailable("The store did not answer in time.", kind="timeout")


def client_of(store: MemoryStore) -> httpx.AsyncClient:
    desk = AccountDesk(store, lambda: IN_FORCE, lambda _: None, AuditLog(Clock()))
    app = Starlette(routes=account_routes(desk))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://admin")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store) as client:
        yield client


async def test_a_blocked_account_is_refused_until_it_is_unblocked(
    store: MemoryStore, client: httpx.AsyncClient
) -> None:
    asked = {"why": "Stolen key", "for_s": 60}
    assert (await client.post("/accounts/acme/block", json=asked, headers=ADMIN)).status_code == 200
    one = (charge(limit(3, quota_id="requests"), account="acme"),)
    assert not (await store.reserve("r", one, "acme")).admitted
    told = (await client.get("/accounts/acme")).json()
    assert told["blocked"]["why"] == "Stolen key"
    assert (await client.post("/accounts/acme/unblock", headers=ADMIN)).json()["blocked"] is None
    assert (await store.reserve("s", one, "acme")).admitted


async def test_a_grant_and_a_reset_hold_at_once(
    store: MemoryStore, client: httpx.AsyncClient
) -> None:
    one = (charge(limit(3, quota_id="requests"), account="acme"),)
    asked = {"quota": "requests", "units": 2, "for_s": 60}
    await client.post("/accounts/acme/grant", json=asked, headers=ADMIN)
    verdicts = [(await store.reserve(f"r{i}", one, "acme")).admitted for i in range(6)]
    assert verdicts == [True] * 5 + [False]
    await client.post("/accounts/acme/reset", json={"quota": "requests"}, headers=ADMIN)
    assert (await store.reserve("s", one, "acme")).admitted


async def test_a_name_with_a_slash_is_one_name(client: httpx.AsyncClient) -> None:
    await client.post("/accounts/team%2Fblock/block", json={"why": "x"}, headers=ADMIN)
    told = (await client.get("/accounts/team%2Fblock")).json()
    assert told["account"] == "team/block"
    assert told["blocked"] is not None


@pytest.mark.parametrize("deed", ["block", "unblock", "reset", "grant"])
@pytest.mark.parametrize("headers", [{}, {**ADMIN, "origin": "https://evil.example"}])
async def test_a_deed_that_a_page_could_have_sent_is_refused(
    client: httpx.AsyncClient, deed: str, headers: dict[str, str]
) -> None:
    asked = {"why": "x"}
    answer = await client.post(f"/accounts/acme/{deed}", json=asked, headers=headers)
    assert answer.status_code == 403
    assert (await client.get("/accounts/acme")).json()["blocked"] is None


@pytest.mark.parametrize(
    ("deed", "asked"),
    [
        ("block", {}),
        ("block", {"why": ""}),
        ("block", {"why": "x", "for_s": 0}),
        ("block", {"why": "x", "code": "Not a word"}),
        ("block", {"why": "x", "until": 5}),
        ("block", {"why": "x" * 501}),
        ("grant", {"quota": "requests", "units": 0, "for_s": 5}),
        ("grant", {"quota": "requests", "units": 5}),
        ("grant", {"quota": "nothing", "units": 5, "for_s": 5}),
        ("reset", {"quota": "nothing"}),
        ("reset", ["requests"]),
        ("reset", {"why": "x" * 20_000}),
    ],
)
async def test_what_cannot_be_done_is_told_and_not_done(
    client: httpx.AsyncClient, deed: str, asked: object
) -> None:
    answer = await client.post(f"/accounts/acme/{deed}", json=asked, headers=ADMIN)
    assert answer.status_code == 400
    assert answer.json()["error"]
    told = (await client.get("/accounts/acme")).json()
    assert (told["blocked"], told["grants"]) == (None, [])


async def test_a_store_that_is_away_is_told() -> None:
    async with client_of(Absent(Clock())) as client:
        answer = await client.get("/accounts/acme")
    assert answer.status_code == 503
    assert "did not answer" in answer.json()["error"]

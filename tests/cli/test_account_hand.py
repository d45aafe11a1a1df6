"""`gauger account show|block|...` against the admin routes over loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette

from gateway.console.account_routes import account_routes
from gateway.console.accounts import AccountDesk
from gateway.facts.principal import Account
from gateway.policy.quota import Unit
from gateway.store.memory import MemoryStore
from tests.cli.conftest import Ran, Run
from tests.parts.clock import Clock
from tests.parts.serving import serving
from tests.parts.values import charge, limit, policies, quota

REQUESTS = limit(3, quota_id="requests")
IN_FORCE = policies(quota(REQUESTS), quota(limit(10**6, Unit.MICRO_USD, quota_id="spend")))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


@pytest.fixture
async def admin(store: MemoryStore) -> AsyncIterator[str]:
    named = {"acme": Account("acme", plan="pro")}
    desk = AccountDesk(store, lambda: IN_FORCE, named.get, Clock())
    async with serving(Starlette(routes=account_routes(desk))) as url:
        yield url


async def account(run: Run, admin: str, *args: str) -> Ran:
    return await asyncio.to_thread(run, "account", *args, "--admin", admin)


async def shown(run: Run, admin: str, name: str = "acme") -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await account(run, admin, "show", name, "--json")).out)
    return told


async def test_what_was_used_is_shown_as_a_table(run: Run, store: MemoryStore, admin: str) -> None:
    await store.reserve("r", (charge(REQUESTS, account="acme"),), "acme")
    await account(run, admin, "grant", "acme", "requests", "5", "--for", "1m")
    ran = await account(run, admin, "show", "acme")
    assert ran.code == 0
    assert "acme, plan pro, 1 open" in ran.out
    assert "granted 5 requests more of requests until 2027-01-15T08:01:00+00:00" in ran.out
    row = next(line for line in ran.out.splitlines() if line.startswith("requests"))
    assert row.split()[:6] == ["requests", "requests", "1", "3", "5", "7"]


async def test_an_account_is_blocked_and_served_again(run: Run, admin: str) -> None:
    blocked = await account(run, admin, "block", "acme", "--why", "Stolen", "--for", "12h")
    assert blocked.out == "acme is blocked until 2027-01-15T20:00:00+00:00.\n"
    assert "blocked until" in (await account(run, admin, "show", "acme")).out
    assert (await account(run, admin, "unblock", "acme")).out == "acme is not blocked.\n"
    assert (await shown(run, admin))["blocked"] is None


async def test_a_name_that_nobody_knows_is_told_and_an_anonymous_one_is_not(
    run: Run, admin: str
) -> None:
    typo = await account(run, admin, "block", "acmee", "--why", "x")
    assert "No accounts file here names acmee" in typo.err
    key = await account(run, admin, "block", "key_0123456789abcdef0123", "--why", "x")
    assert key.code == 0
    assert "No accounts file" not in key.err


async def test_money_is_granted_in_dollars(run: Run, admin: str) -> None:
    await account(run, admin, "grant", "acme", "spend", "5.50 USD", "--for", "1d")
    assert (await shown(run, admin))["grants"][0]["units"] == 5_500_000


async def test_a_reset_forgets(run: Run, store: MemoryStore, admin: str) -> None:
    await store.reserve("r", (charge(REQUESTS, account="acme"),), "acme")
    ran = await account(run, admin, "reset", "acme", "requests")
    assert ran.out == "What acme had used of requests is forgotten.\n"
    assert (await shown(run, admin))["quotas"][0]["used"] == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("block", "acme"), "--why"),
        (("block", "acme", "--why", "x", "--for", "soon"), "--for"),
        (("grant", "acme", "requests", "many", "--for", "1h"), "AMOUNT"),
        (("grant", "acme", "nothing", "5", "--for", "1h"), "There is no quota nothing"),
        (("reset", "acme", "nothing"), "There is no quota nothing"),
    ],
)
async def test_what_cannot_be_done_is_told(
    run: Run, admin: str, args: tuple[str, ...], said: str
) -> None:
    ran = await account(run, admin, *args)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ftp://x", "http://[", "http://127.0.0.1:1"])
def test_a_gauger_that_is_not_there_is_told(run: Run, address: str) -> None:
    ran = run("account", "show", "acme", "--admin", address)
    assert ran.code == 2
    assert "--admin" in ran.err
    assert "http://127.0.0.1:9090" in ran.err

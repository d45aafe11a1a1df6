"""`gauger account show|block|...` against the admin routes over loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from gateway.console.account_routes import account_routes
from gateway.console.accounts import AccountDesk
from gateway.console.audit import AuditLog
from gateway.facts.principal import Account
from gateway.policy.quota import Unit
from gateway.store.memory import MemoryStore
from tests.cli.conftest import Ran, Run
from tests.console.admin import TOKEN, guarded
from tests.parts.authority import Authority
from tests.parts.clock import Clock
from tests.parts.gauger_inside import gauger_inside
from tests.parts.serving import serving
from tests.parts.values import charge, limit, policies, quota
from tests.reload.files import policy

REQUESTS = limit(3, quota_id="requests")
IN_FORCE = policies(quota(REQUESTS), quota(limit(10**6, Unit.MICRO_USD, quota_id="spend")))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


@pytest.fixture
async def admin(store: MemoryStore) -> AsyncIterator[str]:
    named = {"acme": Account("acme", plan="pro")}
    desk = AccountDesk(store, lambda: IN_FORCE, named.get, AuditLog(Clock()))
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


@pytest.fixture
async def guarded_admin() -> AsyncIterator[str]:
    async with guarded() as client:
        yield str(client.base_url).rstrip("/")


async def test_the_token_is_sent_from_a_file_or_a_variable(
    run: Run, guarded_admin: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    to = ("account", "show", "acme", "--admin", guarded_admin)
    ways: list[tuple[tuple[object, ...], dict[str, str]]] = [
        (("--admin-token-file", file), {}),
        ((), {"GAUGER_ADMIN_TOKEN_FILE": str(file)}),
        ((), {"GAUGER_ADMIN_TOKEN": TOKEN}),
        (("--admin-token-file", file), {"GAUGER_ADMIN_TOKEN": "another-token-" + "x" * 32}),
    ]
    for flags, variables in ways:
        assert (await asyncio.to_thread(run, *to, *flags, **variables)).code == 0


async def test_a_token_that_is_missing_or_wrong_is_told_unseen(
    run: Run, guarded_admin: str
) -> None:
    to = ("account", "block", "acme", "--why", "x", "--admin", guarded_admin)
    missing = await asyncio.to_thread(run, *to)
    assert missing.code == 2
    assert "--admin-token-file" in missing.err
    assert "asks for the admin token" in missing.err
    wrong = await asyncio.to_thread(run, *to, GAUGER_ADMIN_TOKEN="hunter2-" + "x" * 32)
    assert wrong.code == 2
    assert "does not take this token" in wrong.err
    assert "hunter2" not in wrong.err + wrong.out


def test_a_token_is_not_sent_in_plain_http_to_another_machine_without_a_warning(run: Run) -> None:
    ran = run(
        *("account", "show", "acme", "--admin", "http://gauger.invalid:1"),
        GAUGER_ADMIN_TOKEN=TOKEN,
    )
    assert "plain HTTP" in ran.err
    assert "plain HTTP" not in run("account", "show", "a", "--admin", "http://127.0.0.1:1").err


async def test_over_https_the_certificate_is_verified_and_ours_is_shown(
    run: Run, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.pair("admin")
    own = b"".join(path.read_bytes() for path in authority.pair("us", "us.example"))
    (tmp_path / "us.pem").write_bytes(own)
    (tmp_path / "quotas.yaml").write_text(policy("requests", "10 requests/minute"))
    async with gauger_inside(
        tmp_path,
        "http://127.0.0.1:9",
        admin_token=TOKEN.encode(),
        admin_tls_cert=cert,
        admin_tls_key=key,
        admin_tls_client_ca=authority.ca_file,
    ) as inside:
        to = ("account", "show", "acme", "--admin", inside.admin_url)
        ca, us = ("--admin-ca", authority.ca_file), ("--admin-cert", tmp_path / "us.pem")

        async def shown(*flags: object) -> Ran:
            return await asyncio.to_thread(run, *to, *flags, GAUGER_ADMIN_TOKEN=TOKEN)

        assert (await shown(*ca, *us)).code == 0
        assert "CERTIFICATE_VERIFY_FAILED" in (await shown(*us)).err
        assert (await shown(*ca)).code == 2
        assert "--admin-cert" in (await shown(*ca, "--admin-cert", authority.ca_file)).err

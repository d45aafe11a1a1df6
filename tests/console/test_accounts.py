"""What an operator does to an account, and what is written of it."""

import json
import logging

import pytest

from gateway.console.accounts import AccountDesk, Mistake
from gateway.console.audit import AUDIT, AuditLog, Operator
from gateway.facts.principal import Account
from gateway.policy.quota import Mode, Unit
from gateway.store.memory import MemoryStore
from tests.parts.clock import Clock
from tests.parts.values import charge, limit, policies, quota

REQUESTS = limit(3, quota_id="requests")
TOKENS = limit(1000, Unit.TOKENS, quota_id="tokens")
SLOTS = limit(2, Unit.CONCURRENT, quota_id="slots")
NOBODY, SOMEBODY = Operator("127.0.0.1"), Operator("192.0.2.9", "0123abcd")
ACME = Account("acme", plan="pro", organization="org_1")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(Clock())


@pytest.fixture
def desk(store: MemoryStore) -> AccountDesk:
    in_force = policies(
        quota(REQUESTS),
        quota(TOKENS, limit(9, quota_id="tokens"), mode=Mode.SHADOW),
        quota(SLOTS),
        quota(limit(7, quota_id="team"), per=("account.organization",)),
        quota(limit(5, quota_id="by-model"), per=("account.id", "request.model")),
    )
    named = {"acme": ACME}
    return AccountDesk(store, lambda: in_force, named.get, AuditLog(Clock()))


async def test_an_account_is_shown_with_all_that_is_counted_of_it_alone(
    store: MemoryStore, desk: AccountDesk
) -> None:
    used = (charge(REQUESTS, account="acme"), charge(SLOTS, account="acme"))
    await store.reserve("r", used, "acme")
    await desk.grant("acme", NOBODY, why="", quota="requests", unit=None, units=4, for_s=60)
    told = await desk.show("acme")
    rows = {row["quota"]: row for row in told["quotas"] if row["unit"] != "tokens"}
    assert (told["plan"], told["named"], told["open_reservations"]) == ("pro", True, 1)
    assert [rows["requests"][n] for n in ("used", "limit", "granted", "remaining")] == [1, 3, 4, 6]
    assert rows["slots"]["used"] == 1
    assert rows["team"]["counted_by"] == ["account.organization"]
    assert told["counted_by_more"] == ["by-model"]


async def test_an_account_that_nobody_named_is_shown_too(desk: AccountDesk) -> None:
    told = await desk.show("key_0123456789abcdef0123")
    assert not told["named"]
    assert {row["quota"] for row in told["quotas"]} == {"requests", "tokens", "slots", "team"}


async def test_every_deed_is_a_line_of_the_audit_log(
    desk: AccountDesk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    await desk.block("acme", SOMEBODY, why="Two\nlines", code="stolen_key", for_s=60)
    await desk.unblock("acme", SOMEBODY, why="New key")
    await desk.grant("acme", SOMEBODY, why="", quota="requests", unit=None, units=4, for_s=60)
    await desk.reset("acme", SOMEBODY, why="Our bug", quota=None)
    lines = [record.getMessage() for record in caplog.records if record.name == AUDIT]
    told = [json.loads(line) for line in lines]
    assert [one["what"] for one in told] == ["block", "unblock", "grant", "reset"]
    assert all((one["who"], one["account"]) == ("192.0.2.9", "acme") for one in told)
    assert all((one["token"], one["result"]) == ("0123abcd", "done") for one in told)
    assert told[0]["at"] == "2027-01-15T08:00:00+00:00"
    assert told[0]["blocked"] == {
        "until": "2027-01-15T08:01:00+00:00",
        "code": "stolen_key",
        "why": "Two\nlines",
    }
    assert not any("\n" in line for line in lines)


async def test_a_block_without_a_time_has_no_end(desk: AccountDesk) -> None:
    told = await desk.block("acme", NOBODY, why="Abuse", code="account_suspended", for_s=None)
    assert told["blocked"]["until"] is None


async def test_a_reset_leaves_what_is_in_flight(store: MemoryStore, desk: AccountDesk) -> None:
    used = (charge(REQUESTS, account="acme"), charge(SLOTS, account="acme"))
    await store.reserve("r", used, "acme")
    await desk.reset("acme", NOBODY, why="", quota=None)
    rows = {row["quota"]: row["used"] for row in (await desk.show("acme"))["quotas"]}
    assert (rows["requests"], rows["slots"]) == (0, 1)


@pytest.mark.parametrize(
    ("quota_id", "unit", "said"),
    [
        ("request", None, "There is no quota request"),
        ("tokens", None, "Say which: --unit"),
        ("tokens", "concurrent", "tokens does not limit concurrent"),
    ],
)
async def test_a_grant_of_what_there_is_not_is_a_mistake(
    desk: AccountDesk, quota_id: str, unit: str | None, said: str
) -> None:
    with pytest.raises(Mistake, match=said):
        await desk.grant("acme", NOBODY, why="", quota=quota_id, unit=unit, units=1, for_s=60)
    assert (await desk.show("acme"))["grants"] == []

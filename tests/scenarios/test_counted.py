from pathlib import Path

from gateway.scenarios.counted import ANY
from tests.scenarios.staging import ran


async def test_accounts_entries_and_all_are_counted_alike(tmp_path: Path) -> None:
    entry = "{name: a, accounts: 2, each: 90 requests/minute, for: 1 minute, max_tokens: 5}"
    told = (await ran(tmp_path, entry)).told
    assert told.whole == told.entries[0]
    accounts = told.accounts[0]
    assert set(accounts) == {"a-1", "a-2"}
    assert sum(group.allowed for group in accounts.values()) == told.whole.allowed == 120
    assert told.whole.refused == {ANY: 60, "per-minute": 60}
    assert told.spoke() == {"per-minute"}


async def test_the_first_refusal_knows_what_was_allowed_before_of_its_own_group(
    tmp_path: Path,
) -> None:
    entry = "{name: a, accounts: 2, each: 90 requests/minute, for: 1 minute, max_tokens: 5}"
    told = (await ran(tmp_path, entry)).told
    mine, all_together = told.accounts[0]["a-1"].first[ANY], told.whole.first[ANY]
    assert (mine.account, mine.number, mine.allowed_before) == ("a-1", 61, 60)
    assert all_together.allowed_before == 120
    assert all_together.judged is mine.judged


async def test_two_rules_that_refuse_one_request_each_count_it(tmp_path: Path) -> None:
    two = "quotas: [{id: a, why: w, limit: 5/hour}, {id: b, why: w, limit: 5/day}]"
    told = (await ran(tmp_path, policies=two)).told
    assert told.whole.refused == {ANY: 235, "a": 235, "b": 235}


async def test_what_was_nearest_is_the_highest_that_was_ever_read(tmp_path: Path) -> None:
    entry = "{each: 5 requests/second, for: 10 seconds, max_tokens: 5}"
    ((near,),) = [list(each.values()) for each in (await ran(tmp_path, entry)).told.nearest]
    assert near.used == 50
    assert str(near) == "50 requests of 60 requests a minute (83%)"

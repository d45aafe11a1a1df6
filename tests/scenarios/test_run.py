from pathlib import Path

import pytest

from gateway.source.problems import Problems
from tests.scenarios.staging import HASTY, PER_MINUTE, ran

SHADOW = f"mode: shadow\n{PER_MINUTE}"


async def test_the_same_scenario_always_ends_the_same(tmp_path: Path) -> None:
    entry = "{accounts: 9, each: 100 requests/minute, for: 9 minutes, arrivals: random}"
    one, other = [await ran(tmp_path, entry) for _ in range(2)]
    assert one.told.whole == other.told.whole
    assert one.told.whole.sent == 8_100
    assert not one.passed


async def test_quotas_in_shadow_mode_refuse_nothing_and_are_counted(tmp_path: Path) -> None:
    expect = "{would_refuse: {at least: 100}, by: per-minute}, {never_refused: true}"
    assert (await ran(tmp_path, expect=expect, policies=SHADOW)).passed


async def test_a_scenario_can_look_beyond_shadow_mode(tmp_path: Path) -> None:
    expect = "{first_refusal: 60, by: per-minute}"
    assert (await ran(tmp_path, expect=expect, rest="mode: enforce\n", policies=SHADOW)).passed


@pytest.mark.parametrize(
    ("expect", "rest", "policies", "words"),
    [
        ("{refused: 1, by: per-minuet}", "", PER_MINUTE, 'Did you mean "per-minute"?'),
        ("{refused: 1, by: per-minute}", "", SHADOW, "is in shadow mode and refuses nothing"),
        ("{would_refuse: 1, by: per-minute}", "", PER_MINUTE, "is not in shadow mode here"),
        ("{would_refuse: 1, by: per-minute}", "mode: enforce\n", SHADOW, "not in shadow mode"),
    ],
)
async def test_an_expectation_about_a_quota_that_can_never_hold_is_a_problem(
    tmp_path: Path, expect: str, rest: str, policies: str, words: str
) -> None:
    with pytest.raises(Problems) as raised:
        await ran(tmp_path, HASTY, expect, rest, policies)
    (problem,) = raised.value.problems
    assert words in problem.message
    assert problem.line == 3 + bool(rest)


async def test_a_slot_is_held_as_long_as_an_answer_takes(tmp_path: Path) -> None:
    held = "quotas: [{id: held, why: w, limit: 2 concurrent}]"
    entry = "{each: 6 requests/minute, for: 1 minute, duration: 45s, max_tokens: 5}"
    assert (await ran(tmp_path, entry, "{first_refusal: 2}, {allowed: 3}", policies=held)).passed


async def test_an_account_grows_older_while_the_scenario_runs(tmp_path: Path) -> None:
    young = "quotas: [{id: young, why: w, limit: 5/day, when: account.age_days < 2}]"
    entry = "{each: 10 requests/day, for: 3 days, attributes: {age_days: 1}, max_tokens: 5}"
    found = await ran(tmp_path, entry, "{refused: 5}", policies=young)
    assert found.passed, found.unmet


async def test_a_request_that_no_policy_sees_counts_as_refused(tmp_path: Path) -> None:
    entry = "{each: 1/day, for: 1 day, body: {max_tokens: many}}"
    found = await ran(tmp_path, entry, "{refused: 1}")
    assert found.passed
    assert found.told.whole.refused == {"": 1}

"""What is told of a pass: tally and report together, since nobody sees one without the other."""

import gc
import tracemalloc
from typing import Any

import pytest

from gateway.policy.quota import Mode, Policies
from gateway.replay.report import Report, make_report
from gateway.replay.tally import Tally
from tests.parts.values import limit, policies, quota
from tests.replay.passing import passed
from tests.replay.traffic_files import START_S, record

DAY_S = 86_400
RULES = policies(
    quota(limit(2, quota_id="requests", window_us=DAY_S * 1_000_000)),
    quota(limit(1, quota_id="watched", window_us=DAY_S * 1_000_000), mode=Mode.SHADOW),
)


async def report(records: list[dict[str, Any]], rules: Policies = RULES) -> Report:
    tally = Tally()
    await passed(records, rules, [tally.note])
    return make_report("policies", rules, tally)


async def test_what_each_policy_refused_is_told() -> None:
    told = await report([record(at, f"acct_{at % 2}") for at in range(8)])
    assert (told.exchanges, told.refused, told.accounts, told.accounts_refused) == (8, 4, 2, 2)
    assert (told.tokens, told.refused_tokens) == (8 * 48, 4 * 48)
    requests, watched = told.by_policy
    assert (requests.id, requests.mode, requests.exchanges, requests.accounts, requests.tokens) == (
        "requests",
        "enforce",
        4,
        2,
        4 * 48,
    )
    assert (watched.id, watched.mode, watched.exchanges) == ("watched", "shadow", 6)
    assert told.would_refuse == 2


async def test_a_policy_that_refused_nothing_is_told_too() -> None:
    told = await report([record()])
    assert [row.exchanges for row in told.by_policy] == [0, 0]
    assert told.by_policy[0].why == "The why of requests."


async def test_the_accounts_that_were_refused_most_stand_first_with_reasons() -> None:
    few = [record(at, "few") for at in range(3)]
    many = [record(10 + at, "many", label="campaign/x") for at in range(9)]
    first, second = (await report([*few, *many])).top_accounts
    assert (first.account, first.refused, first.labels) == ("many", 7, ("campaign/x",))
    assert first.reasons == {"watched": 8, "requests": 7}
    assert (first.first_refused_at, first.last_refused_at) == (START_S + 12, START_S + 18)
    assert first.least_left == 0.0
    assert second.account == "few"


async def test_what_no_policy_saw_is_told_apart() -> None:
    told = await report([record(0, path="/nowhere"), record(1, body={}), record(2)])
    assert told.rejected == {"malformed": 1, "unknown_route": 1}
    assert told.refused == 2
    assert [row.exchanges for row in told.by_policy] == [0, 0]


async def test_false_positives_are_counted_in_account_days() -> None:
    """acct_0 is refused on its first day only; acct_1 never."""
    day_one = [record(at, "acct_0", label="benign/chat") for at in range(5)]
    day_two = [record(2 * DAY_S, "acct_0", label="benign/chat")]
    quiet = [record(2 * DAY_S + at * DAY_S, "acct_1", label="benign/chat") for at in range(3)]
    (label,) = (await report([*day_one, *day_two, *quiet])).labels
    assert label.innocent
    assert (label.accounts, label.accounts_refused) == (2, 1)
    assert (label.account_days, label.account_days_refused) == (5, 1)
    assert label.account_day_bound is None
    assert label.account_day_share == pytest.approx(0.2)
    assert label.refused_share == pytest.approx(3 / 9)
    assert label.exchanges_before_refusal == 2


async def test_no_hit_proves_no_more_than_its_days() -> None:
    days = [record(at * DAY_S, label="benign/chat") for at in range(30)]
    (label,) = (await report(days)).labels
    assert label.account_days_refused == 0
    assert label.account_day_bound == pytest.approx(0.1)
    assert label.exchanges_before_refusal is None


async def test_an_account_may_carry_several_labels() -> None:
    records = [record(at, label=("benign/cover", "campaign/x")[at % 2]) for at in range(6)]
    told = await report(records)
    assert told.accounts == 1
    assert [(row.label, row.innocent, row.refused) for row in told.labels] == [
        ("benign/cover", True, 2),
        ("campaign/x", False, 2),
    ]
    assert told.top_accounts[0].labels == ("benign/cover", "campaign/x")


async def test_the_series_adds_up_to_the_whole() -> None:
    told = await report([record(at * 50) for at in range(40)])
    spans = told.series.spans.values()
    assert sum(span.exchanges for span in spans) == told.exchanges
    assert sum(span.refused for span in spans) == told.refused
    assert sum(sum(span.left) for span in spans) == told.exchanges
    assert sum(told.accounts_by_least_left) == told.accounts


async def test_traffic_without_any_record_makes_an_empty_report() -> None:
    told = await report([])
    assert (told.exchanges, told.refused, told.accounts) == (0, 0, 0)
    assert not told.labels
    assert not told.top_accounts


async def test_memory_does_not_grow_with_the_traffic() -> None:
    """Twenty times the exchanges of the same accounts, and no more is kept."""

    async def kept_bytes(exchanges: int) -> int:
        tally = Tally()
        tracemalloc.start()
        for at in range(0, exchanges, 200):
            batch = [record(60 * (at + n), f"acct_{n % 5}") for n in range(200)]
            await passed(batch, RULES, [tally.note])
        gc.collect()  # an engine that has ended is a circle of objects
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert tally.rows
        return kept

    await kept_bytes(400)
    assert await kept_bytes(8_000) < 2 * await kept_bytes(400)

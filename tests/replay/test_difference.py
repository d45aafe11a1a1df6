from typing import Any

from gateway.policy.quota import Policies
from gateway.replay.difference import Difference, difference
from gateway.replay.tally import Tally
from tests.parts.values import limit, policies, quota
from tests.replay.passing import passed
from tests.replay.traffic_files import record


def allowing(amount: int) -> Policies:
    return policies(quota(limit(amount, quota_id="requests")))


async def compared(records: list[dict[str, Any]], tried: int, against: int) -> Difference:
    tallies = Tally(), Tally()
    for tally, amount in zip(tallies, (tried, against), strict=True):
        await passed(records, allowing(amount), [tally.note])
    return difference(*tallies)


TRAFFIC = [record(at / 10, name) for at, name in enumerate("aaaaaabbbc")]


async def test_only_accounts_that_fare_otherwise_are_told() -> None:
    told = await compared(TRAFFIC, tried=2, against=4)
    assert [(row.account, row.refused_against, row.refused) for row in told.accounts] == [
        ("a", 2, 4),
        ("b", 0, 1),
    ]
    assert (told.newly_refused, told.no_longer_refused) == (1, 0)
    assert told.accounts[0].more_refused == 2
    assert told.accounts[1].reasons == {"requests": 1}
    assert told.accounts[1].reasons_against == {}


async def test_the_other_way_round_they_are_no_longer_refused() -> None:
    told = await compared(TRAFFIC, tried=4, against=2)
    assert (told.newly_refused, told.no_longer_refused) == (0, 1)
    assert told.accounts[0].more_refused == -2


async def test_the_same_policies_make_no_difference() -> None:
    assert (await compared(TRAFFIC, tried=3, against=3)).accounts == ()

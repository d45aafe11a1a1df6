"""Recorded exchanges through the engine, over the memory store."""

from typing import Any

import pytest

from gateway.decision.plan import Charge
from gateway.decision.port import Reserved
from gateway.errors import StoreUnavailable
from gateway.policy.quota import Unit
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.replay.intake import Intake
from gateway.store.memory import MemoryStore
from tests.parts.values import MINUTE_US, limit, policies, quota
from tests.replay.passing import passed, read, side
from tests.replay.traffic_files import record

SLOT = policies(quota(limit(1, Unit.CONCURRENT)))


def lasting(at_s: float, duration_s: float, **changed: Any) -> dict[str, Any]:
    answer = {"usage": {"input_tokens": 8, "output_tokens": 40}, "duration": duration_s}
    return record(at_s, response=answer | changed)


async def allowed(*records: dict[str, Any], **rest: Any) -> list[bool]:
    return [judged.allowed for judged in await passed(records, **rest)]


async def test_counters_move_with_the_recorded_time() -> None:
    rules = policies(quota(limit(1, window_us=MINUTE_US)))
    times = [record(at) for at in (0, 30, 61, 90)]
    assert await allowed(*times, policies=rules) == [True, False, True, False]


async def test_an_answer_is_settled_when_it_has_ended_and_not_before() -> None:
    """108 are reserved, 48 turn out to be used: another fits after the end."""
    rules = policies(quota(limit(160, Unit.TOKENS, window_us=60 * MINUTE_US)))
    records = [lasting(0, 10), record(9.999999), record(10)]
    assert await allowed(*records, policies=rules) == [True, False, True]


async def test_at_one_moment_an_end_comes_before_an_arrival() -> None:
    assert await allowed(lasting(0, 5), record(5), policies=SLOT) == [True, True]
    assert await allowed(lasting(0, 5.000001), record(5), policies=SLOT) == [True, False]


async def test_a_slot_of_a_long_answer_does_not_lapse() -> None:
    """Live, the gateway renews the lease of 30 s as long as the stream lives."""
    assert await allowed(lasting(0, 600), record(599), policies=SLOT) == [True, False]
    assert await allowed(lasting(0, 600), record(601), policies=SLOT) == [True, True]


async def test_a_refused_exchange_consumes_nothing_and_its_answer_is_ignored() -> None:
    rules = policies(quota(limit(160, Unit.TOKENS, window_us=60 * MINUTE_US)))
    huge = record(1, response={"usage": {"input_tokens": 10**9, "output_tokens": 10**9}})
    records = [lasting(0, 10), huge, huge, record(11)]
    assert await allowed(*records, policies=rules) == [True, False, False, True]


async def test_a_failed_answer_gives_its_tokens_back() -> None:
    rules = policies(quota(limit(160, Unit.TOKENS, window_us=60 * MINUTE_US)))
    failed = record(0, response={"status": 500, "duration": 1})
    records = [failed] * 5 + [record(2)]
    decided = [await allowed(failed, record(2), policies=rules)]
    assert decided == [[True, True]]
    assert (await allowed(*records, policies=rules))[:2] == [True, False]


async def test_without_a_recorded_usage_all_that_was_reserved_counts() -> None:
    rules = policies(quota(limit(160, Unit.TOKENS, window_us=60 * MINUTE_US)))
    untold = record(0, response={"status": 200, "duration": 1})
    assert await allowed(untold, record(2), policies=rules) == [True, False]
    nothing = record(0)
    del nothing["response"]
    assert await allowed(nothing, record(2), policies=rules) == [True, False]


async def test_the_status_is_what_the_client_would_have_got() -> None:
    rules = policies(quota(limit(1)))
    failed = record(0, response={"status": 503})
    anthropic = record(
        1, path="/v1/messages", body={"model": "claude", "max_tokens": 1, "messages": []}
    )
    records = [failed, anthropic, record(2, path="/nowhere"), record(3, body={})]
    statuses = [judged.status for judged in await passed(records, rules)]
    assert statuses == [503, 429, 404, 400]


async def test_the_end_of_the_traffic_settles_what_is_under_way() -> None:
    one = side(policies(quota(limit(5))))
    found = read(lasting(0, 3600))
    await one.arrive(found, found.at_us, Intake().take(found, found.at_us))
    assert await one.store.open_reservations() == 1
    await one.finish()
    assert await one.store.open_reservations() == 0


async def test_two_passes_are_alike_to_the_last_value() -> None:
    rules = policies(quota(limit(2)), quota(limit(500, Unit.TOKENS, quota_id="tokens")))
    records = [record(at / 3, f"acct_{at % 3}") for at in range(60)]
    first, second = await passed(records, rules), await passed(records, rules)
    assert [one.decision for one in first] == [one.decision for one in second]


class AbsentStore(MemoryStore):
    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        del reservation_id, charges, account
        raise StoreUnavailable("refused", kind="refused")


async def test_a_backtest_without_its_counters_does_not_go_on() -> None:
    clock = SimulatedClock()
    one = Side(policies(quota(limit(5))), AbsentStore(clock), clock)
    found = read(record())
    with pytest.raises(StoreUnavailable):
        await one.arrive(found, found.at_us, Intake().take(found, found.at_us))

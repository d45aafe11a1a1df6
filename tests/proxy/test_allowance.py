import asyncio

import pytest

from gateway.admission import Admission, Permit, Rules
from gateway.decision.plan import Charge
from gateway.decision.port import Reserved, StoreState
from gateway.facts.estimate import UNKNOWN_MODEL_OUTPUT_TOKENS, OutputEstimator
from gateway.facts.refusal import RefusalKind
from gateway.policy.quota import SECOND_US, Unit
from gateway.proxy.allowance import Allowance, QuotaSpent
from gateway.proxy.background import Background
from tests.parts.values import facts, limit, policies, quota
from tests.proxy.stage import Ledger

HELD = UNKNOWN_MODEL_OUTPUT_TOKENS
STEP = HELD // 4
NEAR = HELD - STEP // 4


class Elsewhere(Ledger):
    """What is asked for later is decided without the store."""

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        reserved = await super().reserve(reservation_id, charges, account)
        state = StoreState.SHARE if "." in reservation_id else StoreState.OK
        return Reserved(reserved.admitted, reserved.at_us, reserved.readings, state)


async def allowance(
    store: Ledger, *, ceiling: int | None = None, unit: Unit = Unit.TOKENS
) -> Allowance:
    rules = Rules(policies(quota(limit(10**6, unit))))
    admission = Admission(store, rules, OutputEstimator(), lambda: "r")
    permit: Permit = await admission.admit(facts(max_output_tokens=ceiling))
    return Allowance(admission, permit, Background(), least_step=1)


async def test_near_its_end_more_is_asked_for_and_the_stream_flows_on() -> None:
    store = Ledger()
    subject = await allowance(store)
    assert subject.suffices(NEAR - 1)
    assert not subject.suffices(NEAR)
    store.may_reserve.clear()
    await asyncio.wait_for(subject.cover(HELD), 1)
    store.may_reserve.set()
    permit = await subject.stop()
    assert store.reserved == ["r", "r.1"]
    assert [c.amount for e in permit.extensions for c in e.charges] == [STEP]


async def test_at_its_end_the_stream_waits_for_more() -> None:
    store = Ledger()
    subject = await allowance(store)
    store.may_reserve.clear()
    passing = asyncio.create_task(subject.cover(HELD + 1))
    await asyncio.wait({passing}, timeout=0)
    for _ in range(9):
        await asyncio.sleep(0)
    assert not passing.done()
    store.may_reserve.set()
    await passing
    assert len((await subject.stop()).extensions) == 1


async def test_a_piece_larger_than_a_step_is_covered_whole() -> None:
    subject = await allowance(Ledger())
    await subject.cover(HELD + 5 * STEP)
    permit = await subject.stop()
    assert [c.amount for e in permit.extensions for c in e.charges] == [5 * STEP]


async def test_a_refusal_near_the_end_ends_the_stream_only_at_the_end() -> None:
    store = Ledger()
    subject = await allowance(store)
    store.refuses_more = True
    await subject.cover(NEAR)
    assert (await subject.stop()).extensions == ()
    await subject.cover(HELD)
    with pytest.raises(QuotaSpent) as spent:
        await subject.cover(HELD + 1)
    assert spent.value.refusal.kind is RefusalKind.RATE
    assert spent.value.refusal.retry_after_us == 17 * SECOND_US


async def test_a_declared_ceiling_is_asked_about_one_step_beyond_it() -> None:
    store = Ledger()
    subject = await allowance(store, ceiling=1000)
    await subject.cover(1000)
    assert store.reserved == ["r"]
    store.refuses_more = True
    await subject.cover(1250)
    with pytest.raises(QuotaSpent):
        await subject.cover(1251)


async def test_while_the_store_is_away_a_stream_takes_one_step() -> None:
    store = Ledger()
    subject = await allowance(store)
    store.away_for_more = 9
    await subject.cover(HELD + STEP)
    assert (await subject.stop()).decision.store is StoreState.OPEN
    with pytest.raises(QuotaSpent) as spent:
        await subject.cover(HELD + STEP + 1)
    assert spent.value.refusal.kind is RefusalKind.STORE_UNAVAILABLE
    assert (await subject.stop()).extensions == ()


async def test_what_was_decided_without_the_store_is_marked() -> None:
    subject = await allowance(Elsewhere())
    await subject.cover(HELD + 1)
    permit = await subject.stop()
    assert permit.decision.store is StoreState.SHARE
    assert len(permit.extensions) == 1


@pytest.mark.parametrize("unit", [Unit.REQUESTS, Unit.INPUT_TOKENS, Unit.REASONING_TOKENS])
async def test_what_does_not_grow_with_an_answer_is_never_asked_about(unit: Unit) -> None:
    store = Ledger()
    subject = await allowance(store, unit=unit)
    await subject.cover(10**9)
    assert store.reserved == ["r"]

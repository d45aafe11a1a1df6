"""What every store promises, whatever it is made of."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.decision.meter import MOST
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import RECORD_US, Reservation, Reserved, SettledCharge, Store
from gateway.policy.quota import SECOND_US, Limit, Period, Unit, WindowKind
from tests.contract.conftest import Make
from tests.parts.clock import Clock
from tests.parts.reference import changed
from tests.parts.values import MINUTE_US, calendar_limit, charge, limit

REQUESTS = limit(5, quota_id="requests")
TOKENS = limit(1000, Unit.TOKENS, quota_id="tokens")
SLOTS = limit(2, Unit.CONCURRENT, quota_id="slots", lease_us=30 * SECOND_US)
PACED = limit(7, quota_id="paced", kind=WindowKind.BUCKET, burst=3)
BUCKET = limit(600, Unit.TOKENS, quota_id="bucket", kind=WindowKind.BUCKET, burst=200)
SLICE_US = MINUTE_US // 64


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(make: Make, clock: Clock) -> Store:
    return make(clock)


async def admit(store: Store, reservation_id: str, *charges: Charge) -> Reservation:
    reserved = await store.reserve(reservation_id, charges)
    assert reserved.admitted
    made = tuple(c for c, r in zip(charges, reserved.readings, strict=True) if r.charged)
    return Reservation(reservation_id, reserved.at_us, made)


async def settle(store: Store, of: Reservation, tokens: int = 0) -> int:
    def actual(charge: Charge) -> int:
        if charge.limit.unit is Unit.CONCURRENT:
            return 0
        return charge.amount if charge.limit.unit is Unit.REQUESTS else tokens

    return await store.settle(of, tuple(SettledCharge(c, actual(c)) for c in of.charges))


async def peek(store: Store, *charges: Charge) -> list[int]:
    """What is used, asked by a request that cannot be admitted."""
    never = limit(1, Unit.TOKENS, quota_id="never")
    reserved = await store.reserve("peek", (*charges, charge(never, 2)))
    assert not reserved.admitted
    return [reading.used for reading in reserved.readings[:-1]]


def refused(reserved: Reserved) -> list[int]:
    return [i for i, reading in enumerate(reserved.readings) if not reading.fits]


async def test_a_limit_admits_its_amount_and_no_more(store: Store) -> None:
    verdicts = [(await store.reserve(f"r{i}", (charge(REQUESTS),))).admitted for i in range(7)]
    assert verdicts == [True] * 5 + [False] * 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_one_refusal_charges_nothing_in_any_order(
    store: Store, order: tuple[int, ...]
) -> None:
    all_three = (charge(REQUESTS), charge(TOKENS, 600), charge(SLOTS))
    charges = tuple(all_three[i] for i in order)
    await admit(store, "first", *charges)
    for i in range(5):
        reserved = await store.reserve(f"r{i}", charges)
        assert [charges[i].limit.quota_id for i in refused(reserved)] == ["tokens"]
        assert not any(reading.charged for reading in reserved.readings)
    assert await peek(store, *all_three) == [1, 600, 1]
    assert await store.open_reservations() == 1


async def test_partitions_do_not_share_a_limit(store: Store) -> None:
    for i in range(5):
        await admit(store, f"a{i}", charge(REQUESTS, account="anna"))
    assert not (await store.reserve("a", (charge(REQUESTS, account="anna"),))).admitted
    assert (await store.reserve("b", (charge(REQUESTS, account="bert"),))).admitted


async def test_a_plan_may_span_partitions(store: Store) -> None:
    organization = Partition((("account.organization", "acme"),))
    charges = (charge(REQUESTS), Charge(TOKENS, organization, 900))
    await admit(store, "first", *charges)
    reserved = await store.reserve("second", charges)
    assert refused(reserved) == [1]
    assert await peek(store, *charges) == [1, 900]


async def test_an_empty_plan_is_admitted(store: Store) -> None:
    reserved = await store.reserve("nothing", ())
    assert reserved.admitted
    assert reserved.readings == ()


async def test_readings_come_in_the_order_of_the_plan(store: Store) -> None:
    other = Partition((("request.model", "small"),))
    charges = (charge(TOKENS, 10), Charge(TOKENS, other, 20), charge(REQUESTS), charge(SLOTS))
    reserved = await store.reserve("r", charges)
    assert [reading.used for reading in reserved.readings] == [10, 20, 1, 1]


async def test_unused_tokens_come_back_and_excess_is_charged(store: Store) -> None:
    low = await admit(store, "low", charge(TOKENS, 500))
    high = await admit(store, "high", charge(TOKENS, 100))
    assert await settle(store, low, 20)
    assert await settle(store, high, 1500)
    assert await peek(store, charge(TOKENS)) == [1520]


async def test_what_is_given_back_leaves_the_slice_in_which_it_was_reserved(
    store: Store, clock: Clock
) -> None:
    first = await admit(store, "first", charge(TOKENS, 400))
    clock.now_us += MINUTE_US // 2
    await admit(store, "second", charge(TOKENS, 600))
    assert await settle(store, first, 100)
    assert await peek(store, charge(TOKENS)) == [700]
    clock.now_us += MINUTE_US // 2 + SLICE_US
    assert await peek(store, charge(TOKENS)) == [600]


async def test_a_second_settlement_moves_nothing(store: Store) -> None:
    reservation = await admit(store, "r", charge(TOKENS, 500), charge(SLOTS))
    await admit(store, "other", charge(TOKENS, 300), charge(SLOTS))
    assert await settle(store, reservation, 100)
    assert not await settle(store, reservation, 0)
    assert not await settle(store, reservation, 900)
    assert await peek(store, charge(TOKENS), charge(SLOTS)) == [400, 1]


async def test_what_was_never_reserved_cannot_be_settled(store: Store, clock: Clock) -> None:
    await admit(store, "r", charge(TOKENS, 500))
    forged = Reservation("forged", clock.now_us, (charge(TOKENS, 500),))
    assert not await settle(store, forged, 0)
    assert await peek(store, charge(TOKENS)) == [500]


async def test_a_slot_lapses_with_its_lease_and_its_tokens_stay(store: Store, clock: Clock) -> None:
    await admit(store, "a", charge(SLOTS), charge(TOKENS, 100))
    await admit(store, "b", charge(SLOTS), charge(TOKENS, 100))
    assert not (await store.reserve("c", (charge(SLOTS),))).admitted
    clock.now_us += SLOTS.lease_us - 1
    assert not (await store.reserve("c", (charge(SLOTS),))).admitted
    clock.now_us += 1
    assert await peek(store, charge(SLOTS), charge(TOKENS)) == [0, 200]


async def test_a_renewed_slot_is_kept(store: Store, clock: Clock) -> None:
    kept = await admit(store, "kept", charge(SLOTS))
    await admit(store, "dead", charge(SLOTS))
    for _ in range(4):
        clock.now_us += SLOTS.lease_us // 3
        await store.renew(kept)
    assert await peek(store, charge(SLOTS)) == [1]


async def test_a_slot_that_lapsed_is_taken_again_by_renewal(store: Store, clock: Clock) -> None:
    stopped = await admit(store, "stopped", charge(SLOTS))
    clock.now_us += SLOTS.lease_us + SECOND_US
    await admit(store, "b", charge(SLOTS))
    await admit(store, "c", charge(SLOTS))
    await store.renew(stopped)
    assert await peek(store, charge(SLOTS)) == [3]


async def test_what_was_settled_is_not_renewed(store: Store) -> None:
    """A renewal that is overtaken by the end of its exchange must not leak a slot."""
    reservation = await admit(store, "r", charge(SLOTS))
    assert await settle(store, reservation)
    await store.renew(reservation)
    assert await peek(store, charge(SLOTS)) == [0]


async def test_a_settlement_after_the_lease_counts_once(store: Store, clock: Clock) -> None:
    day = limit(1000, Unit.TOKENS, quota_id="day", window_us=24 * 60 * MINUTE_US)
    reservation = await admit(store, "late", charge(SLOTS), charge(day, 800))
    clock.now_us += RECORD_US - 1
    assert await settle(store, reservation, 300)
    assert not await settle(store, reservation, 300)
    assert await peek(store, charge(day)) == [300]


async def test_after_its_record_a_reservation_stands(store: Store, clock: Clock) -> None:
    day = limit(1000, Unit.TOKENS, quota_id="day", window_us=24 * 60 * MINUTE_US)
    reservation = await admit(store, "lost", charge(day, 800))
    clock.now_us += RECORD_US
    assert await store.open_reservations() == 0
    assert not await settle(store, reservation, 300)
    assert await peek(store, charge(day)) == [800]


async def test_a_living_exchange_can_be_settled_however_long_it_takes(
    store: Store, clock: Clock
) -> None:
    day = limit(1000, Unit.TOKENS, quota_id="day", window_us=24 * 60 * MINUTE_US)
    reservation = await admit(store, "long", charge(SLOTS), charge(day, 800))
    for _ in range(15):
        clock.now_us += RECORD_US // 5
        await store.renew(reservation)
    assert await settle(store, reservation, 300)
    assert await peek(store, charge(SLOTS), charge(day)) == [0, 300]


async def test_a_shadow_quota_refuses_nothing_and_counts_as_if_it_had(store: Store) -> None:
    trial = charge(limit(2, quota_id="trial"), shadow=True)
    verdicts = []
    for i in range(4):
        reserved = await store.reserve(f"r{i}", (charge(REQUESTS), trial))
        assert reserved.admitted
        verdicts.append([reading.charged for reading in reserved.readings])
    assert verdicts == [[True, True]] * 2 + [[True, False]] * 2
    assert await peek(store, charge(REQUESTS), trial) == [4, 2]


async def test_the_limits_of_a_shadow_quota_stand_together(store: Store) -> None:
    requests = charge(limit(5, quota_id="trial"), shadow=True)
    tokens = charge(limit(100, Unit.TOKENS, quota_id="trial"), 101, shadow=True)
    other = charge(limit(5, quota_id="other trial"), shadow=True)
    reserved = await store.reserve("r", (requests, tokens, other))
    assert reserved.admitted
    assert [reading.charged for reading in reserved.readings] == [False, False, True]
    assert await peek(store, requests, tokens, other) == [0, 0, 1]


async def test_what_is_refused_is_not_charged_to_a_shadow_quota(store: Store) -> None:
    trial = charge(limit(9, quota_id="trial"), shadow=True)
    for i in range(7):
        await store.reserve(f"r{i}", (charge(REQUESTS), trial))
    assert await peek(store, trial) == [5]


async def test_a_lowered_limit_keeps_what_was_used(store: Store) -> None:
    for i in range(4):
        await admit(store, f"r{i}", charge(REQUESTS))
    lowered = charge(limit(3, quota_id="requests"))
    reserved = await store.reserve("r", (lowered,))
    assert (reserved.admitted, reserved.readings[0].used) == (False, 4)
    raised = charge(limit(6, quota_id="requests"))
    verdicts = [(await store.reserve(f"s{i}", (raised,))).admitted for i in range(3)]
    assert verdicts == [True, True, False]


@pytest.mark.parametrize(
    "full",
    [(charge(REQUESTS), 5), (charge(TOKENS, 250), 4), (charge(PACED), 3), (charge(BUCKET, 70), 2)],
    ids=["sliding requests", "sliding tokens", "paced", "bucket"],
)
async def test_waiting_exactly_so_long_admits(
    store: Store, clock: Clock, full: tuple[Charge, int]
) -> None:
    one, times = full
    for i in range(times):
        await admit(store, f"r{i}", one)
        clock.now_us += 1
    for i in range(20):
        reserved = await store.reserve(f"again{i}", (one,))
        assert not reserved.admitted
        wait_us = reserved.readings[0].retry_after_us
        assert wait_us is not None
        clock.now_us += wait_us - 1
        assert not (await store.reserve(f"early{i}", (one,))).admitted
        clock.now_us += 1
        await admit(store, f"waited{i}", one)
        while (await store.reserve(f"more{i}", (one,))).admitted:
            i += 100  # noqa: PLW2901 - fills up what else has lapsed


async def test_what_can_never_fit_says_so(store: Store) -> None:
    charges = (charge(TOKENS, 1001), charge(BUCKET, 201), charge(TOKENS, 10**18, account="b"))
    reserved = await store.reserve("r", charges)
    assert [reading.retry_after_us for reading in reserved.readings] == [None, None, None]


async def test_nobody_can_foresee_a_free_slot(store: Store) -> None:
    for i in range(2):
        await admit(store, f"r{i}", charge(SLOTS))
    reading = (await store.reserve("r", (charge(SLOTS),))).readings[0]
    assert (reading.fits, reading.retry_after_us, reading.used) == (False, None, 2)


async def test_an_absurd_usage_fills_a_meter_and_breaks_none(store: Store, clock: Clock) -> None:
    charges = (charge(TOKENS, 10), charge(BUCKET, 10))
    for i in range(3):
        reservation = await admit(store, f"r{i}", *charges)
        clock.now_us += SLICE_US
        assert await settle(store, reservation, 10**18)
        assert await peek(store, *charges) == [MOST, MOST]
        clock.now_us += MINUTE_US + SLICE_US
        assert (await peek(store, *charges))[0] == 0
        charges = (charge(TOKENS, 10), charge(BUCKET, 10, account=f"b{i}"))


async def test_a_debt_of_years_does_not_break_the_expiry(store: Store) -> None:
    slow = limit(1, Unit.TOKENS, quota_id="slow", kind=WindowKind.BUCKET, burst=10)
    for i in range(2):
        reservation = await admit(store, f"r{i}", charge(slow, 1, account=f"a{i}"))
        assert await settle(store, reservation, 10**18)
        reading = (await store.reserve("r", (charge(slow, account=f"a{i}"),))).readings[0]
        assert (reading.fits, reading.used) == (False, MOST)


async def test_a_negative_usage_is_none_at_all(store: Store) -> None:
    charges = (charge(TOKENS, 10), charge(BUCKET, 10))
    reservation = await admit(store, "r", *charges)
    await admit(store, "other", *charges)
    assert await settle(store, reservation, -1000)
    assert await peek(store, *charges) == [10, 10]


async def test_a_clock_that_is_set_back_does_not_lock_an_account_out(
    store: Store, clock: Clock
) -> None:
    """What was counted lies in the future then; it counts for one window from now."""
    charges = (charge(limit(1, quota_id="one")), charge(PACED), charge(BUCKET, 200), charge(SLOTS))
    await admit(store, "a", *charges)
    await admit(store, "b", charge(SLOTS))
    clock.now_us -= 5 * RECORD_US
    assert not (await store.reserve("c", charges)).admitted
    clock.now_us += MINUTE_US + 2 * SLICE_US
    assert (await store.reserve("d", charges)).admitted


@pytest.mark.parametrize("of", [TOKENS, BUCKET], ids=["sliding", "bucket"])
async def test_only_what_lies_in_the_future_is_moved_when_a_clock_is_set_back(
    store: Store, clock: Clock, of: Limit
) -> None:
    clock.now_us -= clock.now_us % SLICE_US
    start_us = clock.now_us
    slow = changed(of, of.amount // 100) if of is BUCKET else of
    for slice_, tokens in ((0, 1), (30, 2), (40, 4), (10, 8), (12, 16)):
        clock.now_us = start_us + slice_ * SLICE_US
        await admit(store, f"at {slice_}", charge(replace(slow, burst=100), tokens))
    seen = []
    for slice_ in (64, 65, 74, 75, 76, 77):
        clock.now_us = start_us + slice_ * SLICE_US
        seen += await peek(store, charge(replace(slow, burst=100)))
    assert seen == ([31, 30, 30, 16, 16, 0] if of is TOKENS else [26, 25, 25, 24, 24, 24])


async def test_a_day_begins_at_the_operator_s_midnight_and_lasts_23_hours_in_spring(
    store: Store, clock: Clock
) -> None:
    day = charge(calendar_limit(1, Period.DAY), 1)
    clock.now_us = int(datetime(2027, 3, 27, 23, tzinfo=UTC).timestamp()) * SECOND_US
    await admit(store, "at midnight in Berlin", day)
    reserved = await store.reserve("again", (day,))
    assert reserved.readings[0].retry_after_us == 23 * 60 * MINUTE_US
    clock.now_us += 23 * 60 * MINUTE_US - 1
    assert not (await store.reserve("early", (day,))).admitted
    clock.now_us += 1
    await admit(store, "next day", day)


async def test_what_was_reserved_before_midnight_is_not_given_back_after_it(
    store: Store, clock: Clock
) -> None:
    day = charge(calendar_limit(1000, Period.DAY, Unit.TOKENS, timezone="UTC"), 600)
    clock.now_us -= clock.now_us % (24 * 60 * MINUTE_US) + SECOND_US
    before = await admit(store, "before", day)
    clock.now_us += 2 * SECOND_US
    await admit(store, "after", day)
    assert await settle(store, before, 0)
    assert await peek(store, day) == [600]


async def test_it_answers_a_ping(store: Store) -> None:
    await store.ping()


async def test_a_settlement_and_a_renewal_tell_when_they_were_by_the_stores_clock(
    store: Store, clock: Clock
) -> None:
    of = await admit(store, "a", charge(TOKENS, 100), charge(SLOTS))
    clock.now_us += 1_234_567
    assert await store.renew(of) == clock.now_us
    clock.now_us += 1_000_001
    settled = tuple(SettledCharge(one, 0) for one in of.charges)
    assert await store.settle(of, settled) == clock.now_us
    clock.now_us += 1
    assert await store.settle(of, settled) == 0

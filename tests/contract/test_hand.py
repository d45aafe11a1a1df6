"""What every store promises of an operator's hand on an account."""

import pytest

from gateway.decision.hand import Ban, Grant, Hand
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import OperatorStore, Reservation, SettledCharge
from gateway.policy.quota import SECOND_US, Unit, WindowKind
from tests.contract.conftest import Make
from tests.parts.clock import Clock
from tests.parts.values import MINUTE_US, charge, limit

REQUESTS = charge(limit(3, quota_id="requests"))
TOKENS = charge(limit(1000, Unit.TOKENS, quota_id="tokens"), 400)
BUCKET = charge(limit(60, Unit.TOKENS, quota_id="bucket", kind=WindowKind.BUCKET, burst=100), 100)
PACED = charge(limit(60, quota_id="paced", kind=WindowKind.BUCKET, burst=2))
SHARED = Charge(limit(1, quota_id="requests"), Partition((("account.organization", "acme"),)), 1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(make: Make, clock: Clock) -> OperatorStore:
    return make(clock)


async def ban(store: OperatorStore, clock: Clock, seconds: int = 60) -> Hand:
    until_us = clock.now_us + seconds * SECOND_US
    return await store.change_hand("acct_1", lambda hand: hand.with_ban(Ban(until_us, why="spam")))


async def grant(store: OperatorStore, clock: Clock, quota_id: str, units: int, unit: Unit) -> Hand:
    more = Grant(quota_id, unit, units, clock.now_us + 30 * SECOND_US)
    return await store.change_hand("acct_1", lambda hand: hand.with_grant(more))


async def admitted(store: OperatorStore, name: str, *charges: Charge) -> bool:
    return (await store.reserve(name, charges, "acct_1")).admitted


async def test_nothing_of_a_banned_account_is_admitted_or_charged(
    store: OperatorStore, clock: Clock
) -> None:
    assert await admitted(store, "before", REQUESTS)
    await ban(store, clock)
    refused = await store.reserve("r", (REQUESTS, TOKENS), "acct_1")
    assert not refused.admitted
    assert refused.hand.ban is not None
    assert refused.hand.ban.why == "spam"
    assert [(r.used, r.charged) for r in refused.readings] == [(1, False), (0, False)]
    assert await store.open_reservations() == 1


async def test_an_account_that_nothing_is_counted_of_is_banned_all_the_same(
    store: OperatorStore, clock: Clock
) -> None:
    await ban(store, clock)
    assert (await store.reserve("none", (), "acct_1")).hand.ban is not None
    assert (await store.reserve("shared", (SHARED,), "acct_1")).hand.ban is not None
    assert (await store.inspect("acct_1", ())).hand.ban is not None


async def test_a_ban_ends_by_itself_or_by_hand_and_bans_nobody_else(
    store: OperatorStore, clock: Clock
) -> None:
    await ban(store, clock)
    other = charge(limit(3, quota_id="requests"), account="acct_2")
    assert (await store.reserve("other", (other,), "acct_2")).admitted
    clock.now_us += 60 * SECOND_US - 1
    assert not await admitted(store, "still", REQUESTS)
    clock.now_us += 1
    assert await admitted(store, "over", REQUESTS)
    await ban(store, clock)
    assert not await admitted(store, "again", REQUESTS)
    assert await store.change_hand("acct_1", lambda hand: hand.with_ban(None)) == Hand()
    assert await admitted(store, "lifted", REQUESTS)


async def test_what_was_reserved_before_a_ban_is_settled(
    store: OperatorStore, clock: Clock
) -> None:
    reserved = await store.reserve("r", (TOKENS,), "acct_1")
    await ban(store, clock)
    of = Reservation("r", reserved.at_us, (TOKENS,))
    assert await store.settle(of, (SettledCharge(TOKENS, 100),))
    assert (await store.inspect("acct_1", (TOKENS,))).readings[0].used == 100


@pytest.mark.parametrize(
    ("one", "units"),
    [(REQUESTS, 2), (TOKENS, 500), (BUCKET, 100), (PACED, 1)],
    ids=["requests", "tokens", "bucket", "paced"],
)
async def test_a_grant_is_added_to_its_quota_until_it_ends(
    store: OperatorStore, clock: Clock, one: Charge, units: int
) -> None:
    async def fill(name: str) -> int:
        count = 0
        while await admitted(store, f"{name}{count}", one):
            count += 1
        return count

    of = one.limit
    assert await fill("own") == of.ceiling // one.amount
    await grant(store, clock, of.quota_id, units, of.unit)
    assert await fill("granted") == (of.ceiling + units) // one.amount - of.ceiling // one.amount
    clock.now_us += 30 * SECOND_US
    more_than_ever = Charge(of, one.partition, of.ceiling + 1)
    assert not await admitted(store, "after", more_than_ever)


async def test_a_request_larger_than_the_limit_fits_what_was_granted(
    store: OperatorStore, clock: Clock
) -> None:
    large = charge(TOKENS.limit, 1400)
    assert not await admitted(store, "without", large)
    await grant(store, clock, "tokens", 500, Unit.TOKENS)
    reserved = await store.reserve("with", (large,), "acct_1")
    assert reserved.admitted
    assert reserved.readings[0].used == 1400
    assert reserved.hand.on((large,))[0].limit.amount == 1500


async def test_a_grant_touches_no_other_unit_quota_or_shared_limit(
    store: OperatorStore, clock: Clock
) -> None:
    await grant(store, clock, "requests", 5, Unit.TOKENS)
    await grant(store, clock, "other", 5, Unit.REQUESTS)
    verdicts = [await admitted(store, f"r{i}", REQUESTS) for i in range(4)]
    assert verdicts == [True, True, True, False]
    await grant(store, clock, "requests", 5, Unit.REQUESTS)
    assert await admitted(store, "shared", SHARED)
    assert not await admitted(store, "shared again", SHARED)


async def test_hands_laid_on_at_once_all_count(store: OperatorStore, clock: Clock) -> None:
    for _ in range(3):
        hand = await grant(store, clock, "requests", 1, Unit.REQUESTS)
    await ban(store, clock)
    hand = await store.change_hand("acct_1", lambda hand: hand.with_ban(None))
    assert len(hand.grants) == 3
    assert [await admitted(store, f"r{i}", REQUESTS) for i in range(7)] == [True] * 6 + [False]


async def test_to_look_changes_nothing(store: OperatorStore) -> None:
    assert await admitted(store, "r", REQUESTS, TOKENS)
    for _ in range(3):
        looked = await store.inspect("acct_1", (REQUESTS, TOKENS))
        assert not looked.admitted
        assert [(r.used, r.charged) for r in looked.readings] == [(1, False), (400, False)]
    assert await store.open_reservations_of("acct_1") == 1
    assert await store.open_reservations_of("acct_2") == 0


async def test_a_reset_forgets_one_quota_in_all_of_the_account_s_partitions(
    store: OperatorStore,
) -> None:
    by_model = Partition((("account.id", "acct_1"), ("request.model", "small")))
    per_model = Charge(REQUESTS.limit, by_model, 1)
    other = charge(REQUESTS.limit, account="acct_2")
    reserved = await store.reserve("r", (REQUESTS, per_model, TOKENS), "acct_1")
    await store.reserve("o", (other,), "acct_2")
    await store.reset("acct_1", {REQUESTS.limit.meter})
    looked = await store.inspect("acct_1", (REQUESTS, per_model, TOKENS))
    assert [reading.used for reading in looked.readings] == [0, 0, 400]
    assert (await store.inspect("acct_2", (other,))).readings[0].used == 1
    of = Reservation("r", reserved.at_us, (TOKENS,))
    assert await store.settle(of, (SettledCharge(TOKENS, 5),)), "what is open stays open"


async def test_a_ban_outlives_the_counters_beside_it(store: OperatorStore, clock: Clock) -> None:
    await ban(store, clock, seconds=86_400)
    await store.reserve("r", (REQUESTS,), "acct_1")
    clock.now_us += 3 * MINUTE_US
    other = charge(limit(3), account="acct_2")
    await store.reserve("other", (other,), "acct_2")
    assert not await admitted(store, "s", REQUESTS)

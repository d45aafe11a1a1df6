"""What a replica may admit alone, whatever it knows: together never more than the limit."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.leases import Leases
from gateway.decision.measured import terms
from gateway.decision.plan import Charge
from gateway.decision.port import Reading
from gateway.decision.share import RETRY_US, Known, alone, as_seen, remember
from gateway.decision.sliding import SlidingMeter
from gateway.policy.quota import OnStoreFailure, Unit, WindowKind
from tests.parts.clock import START_US
from tests.parts.values import MINUTE_US, charge, limit

NOW_US = START_US


def left(of: Charge, known: Known, replicas: int) -> int:
    """What a replica that knows so much may still admit at once."""
    own = alone(of, replicas)
    meter = Leases() if of.limit.unit is Unit.CONCURRENT else SlidingMeter()
    if own.limit.ceiling:
        remember(meter, own, of.limit, known, replicas)
    return own.limit.ceiling - meter.view(terms(own, NOW_US), NOW_US).used


@given(
    st.integers(1, 1000),
    st.lists(st.integers(0, 300), min_size=1, max_size=8),
)
def test_replicas_that_have_seen_the_last_state_admit_no_more_than_was_left(
    amount: int, used: list[int]
) -> None:
    tokens = charge(limit(amount, Unit.TOKENS), 1)
    total = sum(used)
    if total > amount:
        return
    granted = sum(
        left(tokens, Known(total, NOW_US, ((NOW_US - 1, own),) if own else ()), len(used))
        for own in used
    )
    assert granted <= amount - total


@given(st.integers(1, 1000), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_what_a_replica_used_itself_counts_however_old_its_last_look(
    amount: int, uses: list[tuple[int, int]]
) -> None:
    """Two replicas that know nothing of each other, neither beyond its share."""
    tokens = charge(limit(amount, Unit.TOKENS), 1)
    ours, theirs = (min(sum(u[i] for u in uses), amount // 2) for i in (0, 1))
    granted = sum(
        left(tokens, Known(own, NOW_US, ((NOW_US - 1, own),) if own else ()), 2)
        for own in (ours, theirs)
    )
    assert ours + theirs + granted <= amount


def test_slots_that_this_replica_holds_are_of_its_share_and_can_be_freed() -> None:
    slots = charge(limit(8, Unit.CONCURRENT))
    assert left(slots, Known(2, NOW_US, holders=("a", "b")), 2) == 2
    assert left(slots, Known(5, NOW_US, holders=("a",)), 2) == 1
    assert left(slots, Known(8, NOW_US, holders=("a",)), 2) == 0


def test_what_was_used_elsewhere_counts_for_a_window_from_the_last_look() -> None:
    tokens = charge(limit(100, Unit.TOKENS), 1)
    own = alone(tokens, 2)
    meter = SlidingMeter()
    remember(meter, own, tokens.limit, Known(100, NOW_US - 9), 2)
    assert meter.view(terms(own, NOW_US), NOW_US).used == 50
    later = NOW_US + MINUTE_US * 66 // 64
    assert meter.view(terms(own, later), later).used == 0


def test_more_than_there_are_replicas_for_is_shared_by_nobody() -> None:
    for of in (limit(3), limit(3, Unit.CONCURRENT), limit(9, kind=WindowKind.BUCKET, burst=2)):
        own = alone(charge(of), 4)
        assert own.limit.amount == 0
        assert terms(own, NOW_US).cost > terms(own, NOW_US).capacity


def test_a_bucket_s_pace_and_its_burst_are_shared() -> None:
    own = alone(charge(limit(90, kind=WindowKind.BUCKET, burst=31)), 3).limit
    assert (own.amount, own.burst, own.kind) == (30, 10, WindowKind.BUCKET)


def test_what_is_open_holds_anything_and_what_is_closed_nothing() -> None:
    for unit in (Unit.REQUESTS, Unit.CONCURRENT):
        free = alone(charge(limit(1, unit, on_store_failure=OnStoreFailure.OPEN), 10**9), 9)
        assert terms(free, NOW_US).cost <= terms(free, NOW_US).capacity
        shut = alone(charge(limit(10**9, unit, on_store_failure=OnStoreFailure.CLOSED)), 1)
        assert terms(shut, NOW_US).cost > terms(shut, NOW_US).capacity


def refused(used: int) -> Reading:
    return Reading(used=used, fits=False, charged=False, retry_after_us=None, full_after_us=0)


def test_what_is_left_of_the_share_is_what_a_caller_sees() -> None:
    one = charge(limit(100, Unit.TOKENS), 10)
    own = alone(one, 4)
    read = Reading(used=20, fits=True, charged=True, retry_after_us=0, full_after_us=7)
    assert as_seen(one, own, read).used == 95
    assert as_seen(one, own, read).full_after_us == 7


def test_more_than_a_share_may_come_again_and_more_than_the_limit_never() -> None:
    for amount, retry_after_us in ((60, RETRY_US), (101, None)):
        one = charge(limit(100, Unit.TOKENS), amount)
        assert as_seen(one, alone(one, 2), refused(0)).retry_after_us == retry_after_us

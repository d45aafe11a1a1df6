"""Both buckets by themselves: at most burst + limit in any window, and refunds mint nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.bucket import PacedMeter, RefundableBucket
from gateway.decision.meter import MOST_US, SLICES, Difference, Kind, Terms

SPAN_US = 1_000
WINDOW_US = SPAN_US * SLICES
START_US = 1_800_000_000_000_000 // SPAN_US * SPAN_US


def paced(limit: int, burst: int, cost: int = 1) -> Terms:
    each_us = -(-WINDOW_US // limit)
    return Terms(Kind.PACED, cost, cost * each_us, burst * each_us, each_us)


def bucket(limit: int, burst: int, cost: int = 1) -> Terms:
    return Terms(Kind.BUCKET, cost, cost, burst, SPAN_US, limit)


ARRIVALS = st.lists(
    st.tuples(st.one_of(st.integers(0, 3 * SPAN_US), st.integers(0, WINDOW_US)), st.integers(1, 6)),
    min_size=10,
)


@pytest.mark.parametrize("limit", [1, 3, 7, 60, 64, 999])
def test_a_full_burst_fits_at_once_whatever_the_limit_divides_to(limit: int) -> None:
    meter = PacedMeter()
    for i in range(limit):
        view = meter.view(paced(limit, limit), START_US)
        assert (view.fits, view.used) == (True, i)
        meter.charge(paced(limit, limit), "", START_US)
    view = meter.view(paced(limit, limit), START_US)
    assert (view.fits, view.used) == (False, limit)
    assert view.fits_at_us == START_US + -(-WINDOW_US // limit)


@given(st.integers(1, 9), st.integers(1, 9), ARRIVALS)
def test_a_paced_meter_admits_at_most_burst_and_limit_in_a_window(
    limit: int, burst: int, arrivals: list[tuple[int, int]]
) -> None:
    meter, now_us, admitted = PacedMeter(), START_US, []
    for wait_us, _ in arrivals:
        now_us += wait_us
        if meter.view(paced(limit, burst), now_us).fits:
            meter.charge(paced(limit, burst), "", now_us)
            admitted.append(now_us)
            assert sum(at > now_us - WINDOW_US for at in admitted) <= burst + limit


def test_a_paced_meter_gives_back_only_what_has_not_drained() -> None:
    meter, terms = PacedMeter(), paced(64, 10)
    meter.charge(terms, "", START_US)
    meter.settle(terms, "", Difference(-SPAN_US, START_US), START_US + SPAN_US // 4)
    assert meter.view(terms, START_US + SPAN_US // 4).empty_at_us == START_US + SPAN_US // 4
    meter.charge(terms, "", START_US + WINDOW_US)
    meter.settle(terms, "", Difference(-SPAN_US, START_US), START_US + WINDOW_US)
    assert meter.view(terms, START_US + WINDOW_US).used == 1


def test_a_paced_meter_can_be_in_debt_but_not_for_ever() -> None:
    meter, terms = PacedMeter(), paced(64, 10)
    meter.settle(terms, "", Difference(MOST_US, START_US), START_US)
    meter.settle(terms, "", Difference(MOST_US, START_US), START_US)
    assert meter.drained_at_us == START_US + MOST_US


def test_a_paced_meter_keeps_its_level_when_the_clock_is_set_back() -> None:
    meter, terms = PacedMeter(), paced(64, 2)
    meter.charge(terms, "", START_US)
    meter.charge(terms, "", START_US)
    back_us = START_US - 10**9
    assert meter.follow_clock(terms, back_us)
    assert meter.view(terms, back_us).fits_at_us == back_us + SPAN_US
    assert not meter.follow_clock(terms, back_us)


def exact(entries: list[list[int]], limit: int, now_us: int) -> Fraction:
    """The level of a bucket that drains evenly and was charged the actual at once."""
    level, at_us = Fraction(0), START_US
    for entry_at_us, units in entries:
        level = max(Fraction(0), level - Fraction(limit * (entry_at_us - at_us), WINDOW_US))
        level, at_us = level + units, entry_at_us
    return max(Fraction(0), level - Fraction(limit * (now_us - at_us), WINDOW_US))


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.lists(
        st.tuples(st.integers(0, 9 * SPAN_US), st.integers(1, 100), st.integers(0, 100)),
        min_size=10,
    ),
)
def test_after_a_refund_the_level_is_as_if_the_actual_had_been_charged_at_once(
    limit: int, burst: int, arrivals: list[tuple[int, int, int]]
) -> None:
    """And so no loop of starts and cancels saves anything up."""
    meter, now_us = RefundableBucket(), START_US
    entries: list[list[int]] = []
    waiting: list[tuple[int, int, int]] = []
    for wait_us, units, actual in arrivals:
        now_us += wait_us
        if len(waiting) > 3:
            at, reserved, used = waiting.pop(0)
            if entries[at][0] < now_us - WINDOW_US:
                continue  # too old: what was reserved stands
            change = min(used, reserved) - reserved
            meter.settle(bucket(limit, burst), "", Difference(change, entries[at][0]), now_us)
            entries[at][1] += change
        view = meter.view(bucket(limit, burst, units), now_us)
        level = exact(entries, limit, now_us)
        assert level <= view.used
        assert view.used < level + Fraction(2 * limit, SLICES) + 1
        assert level + units <= burst or not view.fits
        if view.fits:
            meter.charge(bucket(limit, burst, units), "", now_us)
            waiting.append((len(entries), units, actual))
            entries.append([now_us, units])
            in_window = sum(n for at, n in entries if at > now_us - WINDOW_US)
            assert in_window <= burst + limit


def test_a_cancel_loop_over_a_drained_bucket_mints_nothing() -> None:
    terms = bucket(64, 64, 64)
    meter = RefundableBucket()
    meter.charge(terms, "", START_US)
    now_us = START_US + WINDOW_US + SPAN_US  # all of it has drained
    meter.settle(terms, "", Difference(-64, START_US), now_us)
    assert meter.view(terms, now_us).fits
    meter.charge(terms, "", now_us)
    assert not meter.view(bucket(64, 64), now_us).fits


def test_the_moment_of_a_fit_is_exact() -> None:
    meter = RefundableBucket()
    meter.charge(bucket(10, 100, 100), "", START_US + 5)
    now_us = START_US + 7
    for cost in (1, 3, 99, 100):
        at_us = meter.view(bucket(10, 100, cost), now_us).fits_at_us
        assert at_us is not None
        assert not meter.view(bucket(10, 100, cost), at_us - 1).fits
        assert meter.view(bucket(10, 100, cost), at_us).fits
    assert meter.view(bucket(10, 100, 101), now_us).fits_at_us is None


def test_what_is_too_old_to_be_given_back_is_folded() -> None:
    meter, terms = RefundableBucket(), bucket(1, 10_000, 10)
    for i in range(300):
        meter.charge(terms, "", START_US + i * SPAN_US)
    assert len(meter.slices) == SLICES + 1
    unfolded = 300 * 10 * SLICES - 299
    assert sum(meter.at(terms, START_US + 299 * SPAN_US)) == pytest.approx(unfolded, abs=SLICES)


def test_a_slice_that_the_clock_crosses_twice_drains_once() -> None:
    terms = bucket(64, 640, 100)
    meter = RefundableBucket()
    meter.charge(terms, "", START_US)
    for _ in range(50):  # over the edge of a slice, and back again
        meter.charge(bucket(64, 640), "", START_US + SPAN_US)
        assert meter.follow_clock(terms, START_US + SPAN_US - 1)
    assert meter.view(terms, START_US + SPAN_US - 1).used == 150


def test_a_lowered_limit_revives_nothing_that_had_drained() -> None:
    meter = RefundableBucket()
    meter.charge(bucket(6400, 6400, 6400), "", START_US)
    now_us = START_US + WINDOW_US + SPAN_US
    assert meter.view(bucket(1, 1), now_us).used == 0
    meter.settle(bucket(1, 1), "", Difference(-1, START_US), now_us)
    meter.charge(bucket(1, 1), "", now_us)
    assert meter.view(bucket(1, 1), now_us).used == 1


def test_a_bucket_says_when_it_can_be_forgotten() -> None:
    meter, terms = RefundableBucket(), bucket(1, 10_000, 1000)
    meter.charge(terms, "", START_US)
    life_us = meter.life_us(terms, START_US)
    assert meter.view(terms, START_US + life_us).used == 0
    assert life_us < 1002 * WINDOW_US

"""The sliding window by itself: at most the limit in any true window, late by at most 1/64."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.meter import MOST, SLICES, Difference, Kind, Terms
from gateway.decision.sliding import SlidingMeter

SPAN_US = 1_000
WINDOW_US = SPAN_US * SLICES
START_US = 1_800_000_000_000_000 // SPAN_US * SPAN_US


def cost(units: int, limit: int = 10) -> Terms:
    return Terms(Kind.SLIDING, units, units, limit, SPAN_US)


def charged(*at_us: int, units: int = 1) -> SlidingMeter:
    meter = SlidingMeter()
    for at in at_us:
        meter.charge(cost(units), "", START_US + at)
    return meter


@given(
    st.integers(1, 12),
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 3 * SPAN_US), st.integers(0, WINDOW_US)), st.integers(1, 6)
        ),
        min_size=10,
    ),
)
def test_no_true_window_holds_more_than_the_limit(
    limit: int, arrivals: list[tuple[int, int]]
) -> None:
    meter, now_us = SlidingMeter(), START_US
    admitted: list[tuple[int, int]] = []
    for wait_us, units in arrivals:
        now_us += wait_us
        in_window = sum(n for at, n in admitted if at > now_us - WINDOW_US)
        nearly = sum(n for at, n in admitted if at > now_us - WINDOW_US - SPAN_US)
        fits = meter.view(cost(units, limit), now_us).fits
        if fits:
            meter.charge(cost(units, limit), "", now_us)
            admitted.append((now_us, units))
            assert in_window + units <= limit
        else:
            assert nearly + units > limit, "it never refuses when even 65/64 windows have room"


def test_an_amount_counts_until_its_whole_slice_has_left_the_window() -> None:
    meter = charged(SPAN_US - 1)
    assert meter.view(cost(1), START_US + WINDOW_US + SPAN_US - 1).used == 1
    assert meter.view(cost(1), START_US + WINDOW_US + SPAN_US).used == 0


def test_a_refusal_names_the_moment_at_which_enough_has_lapsed() -> None:
    meter = charged(0, 5 * SPAN_US, 9 * SPAN_US, units=3)
    now_us = START_US + 20 * SPAN_US
    assert meter.view(cost(1), now_us).fits_at_us == now_us
    assert meter.view(cost(4), now_us).fits_at_us == START_US + WINDOW_US + SPAN_US
    assert meter.view(cost(7), now_us).fits_at_us == START_US + WINDOW_US + 6 * SPAN_US
    assert meter.view(cost(11), now_us).fits_at_us is None


def test_a_view_changes_nothing() -> None:
    meter = charged(0, 5 * SPAN_US)
    before = repr(meter)
    meter.view(cost(1), START_US + 10 * WINDOW_US)
    assert repr(meter) == before


def test_what_lapsed_is_dropped_when_something_is_charged() -> None:
    meter = charged(0, 5 * SPAN_US, 3 * WINDOW_US)
    assert (meter.total, len(meter.slices)) == (1, 1)


def test_no_more_slices_are_kept_than_a_window_has() -> None:
    meter = charged(*range(0, 1000 * SPAN_US, SPAN_US))
    assert len(meter.slices) == SLICES + 1
    assert meter.total == SLICES + 1


def test_what_is_given_back_leaves_its_own_slice() -> None:
    meter = charged(0, 5 * SPAN_US, units=4)
    meter.settle(cost(4), "", Difference(-3, START_US), START_US + 6 * SPAN_US)
    assert (meter.total, meter.amounts) == (5, [1, 4])
    meter.settle(cost(4), "", Difference(-4, START_US + 5 * SPAN_US), START_US + 6 * SPAN_US)
    assert (meter.total, meter.amounts) == (1, [1])


def test_a_meter_that_was_given_all_back_is_empty_at_once() -> None:
    meter = charged(0, units=4)
    meter.settle(cost(4), "", Difference(-4, START_US), START_US + 1)
    view = meter.view(cost(1), START_US + 1)
    assert (view.used, view.empty_at_us) == (0, START_US + 1)


def test_what_has_lapsed_cannot_be_given_back() -> None:
    meter = charged(0, WINDOW_US + SPAN_US, units=4)
    meter.settle(cost(4), "", Difference(-4, START_US), START_US + WINDOW_US + SPAN_US)
    assert meter.total == 4


def test_excess_is_charged_when_it_is_known() -> None:
    meter = charged(0, units=4)
    meter.settle(cost(4), "", Difference(50, START_US), START_US + 9 * SPAN_US)
    assert meter.amounts == [4, 50]
    meter.settle(cost(4), "", Difference(MOST, START_US), START_US + 9 * SPAN_US)
    assert meter.total == MOST


def test_a_future_that_a_clock_left_behind_counts_from_now() -> None:
    meter = charged(0, 30 * SPAN_US, 40 * SPAN_US, units=2)
    assert not meter.follow_clock(cost(1), START_US + 40 * SPAN_US)
    assert meter.follow_clock(cost(1), START_US + 10 * SPAN_US)
    assert meter.amounts == [2, 4]
    assert meter.view(cost(1), START_US + 10 * SPAN_US + WINDOW_US).used == 4
    assert meter.view(cost(1), START_US + 11 * SPAN_US + WINDOW_US).used == 0

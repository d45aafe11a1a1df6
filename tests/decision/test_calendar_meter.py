"""A calendar window begins anew, whatever is reserved or settled across its boundary."""

import pytest

from gateway.decision.calendar_meter import CalendarMeter, covers, window
from gateway.decision.meter import MOST, Difference, Kind, Terms

STARTS = (1_000, 2_000, 3_000, 4_000)


def terms(cost: int = 1, capacity: int = 10) -> Terms:
    return Terms(Kind.CALENDAR, cost, cost, capacity, 0, starts_us=STARTS)


def charged(units: int, now_us: int) -> CalendarMeter:
    meter = CalendarMeter()
    meter.charge(terms(units), "a", now_us)
    return meter


@pytest.mark.parametrize(
    ("now_us", "bounds"),
    [(1_000, (1_000, 2_000)), (1_999, (1_000, 2_000)), (2_000, (2_000, 3_000))],
)
def test_a_window_lasts_from_its_beginning_to_the_next(
    now_us: int, bounds: tuple[int, int]
) -> None:
    assert window(terms(), now_us) == bounds


@pytest.mark.parametrize(
    ("now_us", "known"), [(999, False), (1_000, True), (3_999, True), (4_000, False)]
)
def test_the_windows_that_were_told_cover_only_some_moments(now_us: int, known: bool) -> None:
    assert covers(terms(), now_us) is known


def test_without_a_calendar_every_moment_is_covered() -> None:
    assert covers(Terms(Kind.SLIDING, 1, 1, 1, 1), 5)


def test_what_is_used_counts_until_the_window_ends() -> None:
    meter = charged(7, 2_500)
    assert meter.view(terms(3), 2_999).fits
    refused = meter.view(terms(4), 2_999)
    assert (refused.used, refused.fits, refused.fits_at_us) == (7, False, 3_000)
    assert (refused.empty_at_us, refused.empty_at_if_charged_us) == (3_000, 3_000)
    assert meter.view(terms(10), 3_000).fits
    assert meter.view(terms(10), 3_000).used == 0


def test_what_is_empty_is_empty_now() -> None:
    assert CalendarMeter().view(terms(), 2_500).empty_at_us == 2_500
    assert charged(7, 2_500).view(terms(), 3_001).empty_at_us == 3_001


def test_what_can_never_fit_has_no_moment() -> None:
    assert CalendarMeter().view(terms(11), 2_500).fits_at_us is None


def test_a_new_window_forgets_the_old_one() -> None:
    meter = charged(7, 2_500)
    meter.charge(terms(2), "b", 3_500)
    assert meter.view(terms(), 3_500).used == 2


def test_what_was_not_used_is_given_back_within_the_window() -> None:
    meter = charged(7, 2_100)
    meter.settle(terms(), "a", Difference(-5, 2_100), 2_900)
    assert meter.view(terms(), 2_900).used == 2


def test_nothing_is_given_back_to_a_window_in_which_it_was_not_reserved() -> None:
    meter = charged(7, 2_900)
    meter.charge(terms(3), "b", 3_100)
    meter.settle(terms(), "a", Difference(-5, 2_900), 3_200)
    assert meter.view(terms(), 3_200).used == 3
    untouched = charged(7, 2_900)
    untouched.settle(terms(), "a", Difference(-5, 2_900), 3_200)
    assert untouched.used == 7


def test_what_was_used_beyond_is_charged_to_the_window_in_which_it_becomes_known() -> None:
    meter = charged(7, 2_900)
    meter.settle(terms(), "a", Difference(5, 2_900), 3_200)
    assert meter.view(terms(), 3_200).used == 5


def test_giving_back_never_goes_below_nothing() -> None:
    meter = charged(3, 2_100)
    meter.settle(terms(), "a", Difference(-5, 2_100), 2_200)
    assert meter.used == 0


def test_a_clock_that_is_set_back_takes_the_use_with_it() -> None:
    meter = charged(7, 3_100)
    assert meter.follow_clock(terms(), 2_900)
    assert meter.view(terms(), 2_900).used == 7
    assert not meter.follow_clock(terms(), 2_900)
    assert not meter.follow_clock(terms(), 3_100)
    assert meter.view(terms(), 3_100).used == 0


def test_an_absurd_use_fills_the_meter_and_no_more() -> None:
    meter = charged(5, 2_100)
    meter.settle(terms(), "a", Difference(MOST, 2_100), 2_200)
    assert meter.used == MOST


def test_the_state_matters_until_its_window_ends() -> None:
    assert charged(5, 2_100).life_us(terms(), 2_300) == 700

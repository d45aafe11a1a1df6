"""Charges in the numbers of their meters, and views as readings."""

import pytest

from gateway.decision.measured import change, difference, reading, terms
from gateway.decision.meter import MOST, MOST_US, Kind, View
from gateway.decision.port import RECORD_US, SettledCharge
from gateway.policy.quota import SECOND_US, Unit, WindowKind
from tests.parts.values import MINUTE_US, charge, limit

NOW_US = 1_800_000_000_000_000
PACED = limit(7, kind=WindowKind.BUCKET, burst=3)
BUCKET = limit(600, Unit.TOKENS, kind=WindowKind.BUCKET, burst=200)


def test_each_kind_of_limit_has_its_meter() -> None:
    sliding = terms(charge(limit(600, Unit.TOKENS), 70))
    assert (sliding.kind, sliding.cost, sliding.capacity) == (Kind.SLIDING, 70, 600)
    assert sliding.span_us * 64 == MINUTE_US
    bucket = terms(charge(BUCKET, 70))
    assert (bucket.kind, bucket.cost, bucket.capacity, bucket.rate) == (Kind.BUCKET, 70, 200, 600)
    held = terms(charge(limit(2, Unit.CONCURRENT, lease_us=9)))
    assert (held.kind, held.cost, held.capacity, held.span_us) == (Kind.HELD, 1, 2, 9)


def test_a_paced_burst_is_a_whole_number_of_rounded_requests() -> None:
    """Rounding the time of one up and that of the burst down would refuse the last of a burst."""
    paced = terms(charge(PACED))
    assert paced.span_us == 8_571_429
    assert paced.capacity == 3 * paced.cost


def test_what_can_never_fit_stays_within_what_lua_counts_exactly() -> None:
    for of in (limit(600, Unit.TOKENS), BUCKET, limit(10**30, Unit.TOKENS)):
        in_numbers = terms(charge(of, 10**40))
        assert in_numbers.cost == in_numbers.capacity + 1 <= MOST + 1
    slow = limit(1, kind=WindowKind.BUCKET, burst=10**9, window_us=86_400 * SECOND_US)
    assert terms(charge(slow)).capacity == MOST_US


@pytest.mark.parametrize(
    ("actual", "changed"), [(70, 0), (20, -50), (0, -70), (-9, -70), (90, 20), (10**30, MOST)]
)
def test_a_change_is_actual_less_reserved_and_never_absurd(actual: int, changed: int) -> None:
    of = charge(limit(600, Unit.TOKENS), 70)
    assert change(SettledCharge(of, actual), terms(of)) == changed


def test_a_change_of_what_is_paced_is_a_time() -> None:
    of = charge(PACED)
    assert change(SettledCharge(of, 0), terms(of)) == -terms(of).span_us
    assert change(SettledCharge(of, 10**30), terms(of)) == MOST_US


def test_a_difference_knows_if_the_clock_was_set_back() -> None:
    ordinary = difference(-5, NOW_US, NOW_US + RECORD_US, NOW_US + 9)
    assert (ordinary.reserved_at_us, ordinary.clock_was_set_back) == (NOW_US, False)
    renewed = difference(-5, NOW_US, NOW_US + 7 + RECORD_US, NOW_US + 9)
    assert (renewed.reserved_at_us, renewed.clock_was_set_back) == (NOW_US, False)
    moved = difference(-5, NOW_US, NOW_US - 100 + RECORD_US, NOW_US - 50)
    assert (moved.reserved_at_us, moved.clock_was_set_back) == (NOW_US - 100, True)
    behind = difference(-5, NOW_US, NOW_US + RECORD_US, NOW_US - 50)
    assert (behind.reserved_at_us, behind.clock_was_set_back) == (NOW_US - 50, True)


def test_a_reading_counts_the_charge_if_it_was_made() -> None:
    in_numbers = terms(charge(limit(600, Unit.TOKENS), 70))
    view = View(
        30, fits=True, fits_at_us=NOW_US, empty_at_us=NOW_US + 5, empty_at_if_charged_us=NOW_US + 9
    )
    made = reading(view, in_numbers, NOW_US, charged=True)
    assert (made.used, made.charged, made.retry_after_us, made.full_after_us) == (100, True, 0, 9)
    not_made = reading(view, in_numbers, NOW_US, charged=False)
    assert (not_made.used, not_made.full_after_us) == (30, 5)


def test_a_reading_of_a_refusal_says_how_long() -> None:
    in_numbers = terms(charge(limit(600, Unit.TOKENS), 70))
    view = View(
        590, fits=False, fits_at_us=NOW_US + 4, empty_at_us=NOW_US + 5, empty_at_if_charged_us=0
    )
    refused = reading(view, in_numbers, NOW_US, charged=False)
    assert (refused.fits, refused.retry_after_us, refused.full_after_us) == (False, 4, 5)

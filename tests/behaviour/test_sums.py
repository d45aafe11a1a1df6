"""Windows that slide, over a duration or over a number of exchanges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.sums import SLICES, Gaps, Sums
from gateway.policy.behaviour import HOUR_US, Over, WindowUnit

DAY = Over(WindowUnit.TIME, 24 * HOUR_US)
TWO_HUNDRED = Over(WindowUnit.REQUESTS, 200)

ARRIVALS = st.lists(
    st.tuples(st.integers(0, 6 * HOUR_US), st.floats(-100, 100)), min_size=1, max_size=80
)


@given(ARRIVALS)
def test_never_more_than_the_window_and_at_worst_an_eighth_less(
    arrivals: list[tuple[int, float]],
) -> None:
    sums, at_us, past = Sums(DAY), 0, []
    for gap_us, value in arrivals:
        at_us += gap_us
        sums.add(at_us, value)
        past.append(at_us)
    count, _ = sums.read(at_us)
    within = sum(1 for moment in past if moment > at_us - DAY.amount)
    surely = sum(1 for moment in past if moment > at_us - DAY.amount * (SLICES - 1) // SLICES)
    assert surely <= count <= within


def test_after_a_quiet_window_nothing_is_left() -> None:
    sums = Sums(DAY)
    sums.add(0, 5)
    assert sums.read(0) == (1, 5.0)
    assert sums.read(DAY.amount + HOUR_US * 3) == (0, 0.0)


def test_of_so_many_exchanges_the_last_ones_count() -> None:
    sums = Sums(TWO_HUNDRED)
    for number in range(1_000):
        sums.add(0, number >= 800)
    count, with_it = sums.read(0)
    assert 175 <= count <= 200
    assert with_it == count


def test_time_that_runs_backwards_is_counted_as_of_now() -> None:
    sums = Sums(DAY)
    sums.add(10 * HOUR_US, 1)
    sums.add(0, 1)
    assert sums.read(10 * HOUR_US) == (2, 2.0)


def test_a_surge_is_told_from_an_even_pace() -> None:
    even, surging = Sums(DAY), Sums(DAY)
    for hour in range(24):
        even.add(hour * HOUR_US, 1)
        for _ in range(20 if hour >= 21 else 1):
            surging.add(hour * HOUR_US, 1)
    assert even.surge(23 * HOUR_US) == pytest.approx(1, abs=0.01)
    assert surging.surge(23 * HOUR_US) > 5
    assert Sums(DAY).surge(0) == 0


def test_a_state_that_is_kept_reads_the_same() -> None:
    sums, kept = Sums(DAY), Sums(DAY)
    for hour in range(30):
        sums.add(hour * HOUR_US, hour)
    kept.restore(sums.state())
    assert kept.read(31 * HOUR_US) == sums.read(31 * HOUR_US)


def test_a_clock_is_regular_and_a_person_is_not() -> None:
    clock, person = Gaps(), Gaps()
    moment = 0
    for number in range(40):
        clock.see(1_000_000 + number * 60_000_000)
        moment += 1_000_000 * (1 if number % 5 else 600)
        person.see(1_000_000 + moment)
    assert clock.regularity() == pytest.approx(1)
    assert person.regularity() < 0.5
    assert Gaps().regularity() == 0

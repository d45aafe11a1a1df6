import random
from itertools import pairwise
from statistics import mean

import pytest

from gateway.simulation import pace
from gateway.simulation.draft import DAY_S, Span

WEEK = Span(1_780_272_000.0, 1_780_272_000.0 + 7 * DAY_S)


@pytest.mark.parametrize("kind", ["even", "jittered", "by_day", "flat", "bursts"])
def test_every_pace_keeps_its_mean_its_order_and_its_span(kind: str) -> None:
    draw = random.Random(3)
    paces = {
        "even": pace.even(40.0, 0.5),
        "jittered": pace.jittered(draw, 40.0, 0.5),
        "by_day": pace.by_day(draw, 40.0, 2.0),
        "flat": pace.by_day(draw, 40.0, flat=True),
        "bursts": pace.bursts(draw, 40.0),
    }
    times = list(paces[kind](WEEK))
    assert len(times) == pytest.approx(7 * 40, rel=0.2)
    assert all(before <= after for before, after in pairwise(times))
    assert WEEK.begin_s <= times[0]
    assert times[-1] < WEEK.end_s


def test_people_ask_more_by_day_than_by_night() -> None:
    draw = random.Random(3)
    hours = [pace.moment_of_day(draw) / 3_600 for _ in range(5_000)]
    by_day = sum(9 <= hour < 18 for hour in hours)
    by_night = sum(hour < 5 for hour in hours)
    assert by_day > 3 * by_night > 0


def test_counts_have_their_mean() -> None:
    draw = random.Random(3)
    for wanted in (0.3, 5.0, 80.0):
        assert mean(pace.count(draw, wanted) for _ in range(3_000)) == pytest.approx(
            wanted, rel=0.1
        )


def test_one_client_sends_so_many_and_no_more() -> None:
    times = list(pace.steady(random.Random(1), 5.0, 100)(WEEK))
    assert len(times) == 100


def test_the_first_of_zipf_sends_most() -> None:
    loads = pace.zipf(50, 10.0)
    assert mean(loads) == pytest.approx(10.0)
    assert loads == sorted(loads, reverse=True)

"""Points fade, rungs are left later than entered, and what others do has a cap."""

import pytest

from gateway.behaviour.score import Evidence, Weighed, climbed, rung_of, weigh
from gateway.policy.behaviour import DAY_US, HOUR_US, Response, Rung, Score

SCORE = Score()
LADDER = (
    Response(15, Rung.OBSERVE),
    Response(25, Rung.TAG),
    Response(40, Rung.THROTTLE),
    Response(55, Rung.DEGRADE),
    Response(70, Rung.CHALLENGE),
    Response(85, Rung.BLOCK, block_us=(DAY_US,)),
)


def evidence(points: int, rule: str = "rule", group: int | None = None, at_us: int = 0) -> Evidence:
    return Evidence(rule, "why", points, at_us, at_us, group=group)


@pytest.mark.parametrize(
    ("after_h", "points"), [(0, 40.0), (36, 20.0), (72, 10.0), (36 * 7, 0.0), (-5, 40.0)]
)
def test_points_fade_by_half_in_every_half_life(after_h: int, points: float) -> None:
    assert evidence(40).points_at(after_h * HOUR_US, SCORE) == pytest.approx(points)


def test_a_rule_counts_once_however_many_groups_show_it() -> None:
    weighed = weigh([evidence(45, group=1), evidence(45, group=2)], 0, SCORE)
    assert weighed.points == 45
    assert weighed.independent == 1


def test_benign_evidence_subtracts_and_the_score_stays_in_its_bounds() -> None:
    assert weigh([evidence(45, "a"), evidence(-20, "b")], 0, SCORE).points == 25
    assert weigh([evidence(-20)], 0, SCORE).points == 0
    assert weigh([evidence(90, "a"), evidence(90, "b")], 0, SCORE).points == 100


@pytest.mark.parametrize(
    ("points", "rung"),
    [
        (0, "NONE"),
        (14.9, "NONE"),
        (15, "OBSERVE"),
        (40, "THROTTLE"),
        (84, "CHALLENGE"),
        (85, "BLOCK"),
    ],
)
def test_the_ladder_is_climbed_at_its_points(points: float, rung: str) -> None:
    assert climbed(points, LADDER, SCORE, Rung.NONE) is Rung[rung]


@pytest.mark.parametrize(("points", "rung"), [(39, "THROTTLE"), (30, "THROTTLE"), (29, "TAG")])
def test_a_rung_is_left_ten_points_below_its_entry(points: float, rung: str) -> None:
    assert climbed(points, LADDER, SCORE, Rung.THROTTLE) is Rung[rung]


def test_shared_evidence_alone_stops_at_its_cap() -> None:
    alone = weigh([evidence(50, "a", group=1), evidence(50, "b", group=2)], 0, SCORE)
    assert rung_of(alone, LADDER, SCORE, Rung.NONE) is Rung.THROTTLE


def test_shared_evidence_and_own_together_may_block() -> None:
    both = weigh([evidence(60, "a", group=1), evidence(30, "b")], 0, SCORE)
    assert rung_of(both, LADDER, SCORE, Rung.NONE) is Rung.BLOCK


def test_own_evidence_of_one_rule_goes_as_far_as_its_points() -> None:
    own = Weighed(points=60, own=60, independent=1)
    assert rung_of(own, LADDER, SCORE, Rung.NONE) is Rung.DEGRADE

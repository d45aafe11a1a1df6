"""What has begun and not ended, by itself."""

from gateway.decision.leases import Leases
from gateway.decision.meter import Difference, Kind, Terms

LEASE_US = 30_000_000
NOW_US = 1_800_000_000_000_000
TERMS = Terms(Kind.HELD, 1, 1, 2, LEASE_US)


def held(*holders: str) -> Leases:
    leases = Leases()
    for holder in holders:
        leases.charge(TERMS, holder, NOW_US)
    return leases


def test_a_place_is_taken_until_it_is_released() -> None:
    leases = held("a", "b")
    assert not leases.view(TERMS, NOW_US).fits
    leases.settle(TERMS, "a", Difference(0, NOW_US), NOW_US)
    assert leases.view(TERMS, NOW_US).used == 1


def test_releasing_twice_frees_one_place() -> None:
    leases = held("a", "b")
    leases.release("a", NOW_US)
    leases.release("a", NOW_US)
    assert leases.held(NOW_US) == 1


def test_a_place_lapses_at_its_deadline() -> None:
    leases = held("a")
    assert leases.held(NOW_US + LEASE_US - 1) == 1
    assert leases.held(NOW_US + LEASE_US) == 0
    assert leases.deadline_us("a", NOW_US + LEASE_US - 1) == NOW_US + LEASE_US
    assert leases.deadline_us("a", NOW_US + LEASE_US) is None


def test_renewal_moves_the_deadline_and_takes_no_second_place() -> None:
    leases = held("a", "b")
    leases.charge(TERMS, "a", NOW_US + 10)
    assert leases.held(NOW_US + 10) == 2
    assert list(leases.deadlines_us) == ["b", "a"]
    assert leases.held(NOW_US + LEASE_US) == 1


def test_lapsed_places_are_dropped_by_the_next_change_and_not_by_a_view() -> None:
    leases = held("a", "b")
    leases.view(TERMS, NOW_US + LEASE_US)
    assert len(leases.deadlines_us) == 2
    leases.charge(TERMS, "c", NOW_US + LEASE_US)
    assert list(leases.deadlines_us) == ["c"]


def test_no_place_outlasts_a_clock_that_was_set_back() -> None:
    leases = held("a", "b")
    back_us = NOW_US - 3_600_000_000
    assert leases.follow_clock(TERMS, back_us)
    assert not leases.follow_clock(TERMS, back_us)
    assert leases.held(back_us + LEASE_US) == 0

from gateway.admission import Permit
from gateway.decision.settlement import Delivered
from gateway.facts.usage import UNREPORTED
from gateway.replay.timeline import NEVER_US, Timeline, Underway


def underway(end_us: int, *, permit: Permit, renew_every_us: int | None = None) -> Underway:
    return Underway(permit, end_us, UNREPORTED, Delivered(began=True), renew_every_us)


def drained(timeline: Timeline) -> list[int]:
    times = []
    while timeline:
        at_us, one = timeline.pop()
        times.append(at_us)
        if at_us < one.end_us:
            timeline.plan(at_us, one)
    return times


def test_ends_come_in_the_order_of_time(permit: Permit) -> None:
    timeline = Timeline()
    for end_us in (30, 10, 20):
        timeline.plan(0, underway(end_us, permit=permit))
    assert timeline.next_us == 10
    assert drained(timeline) == [10, 20, 30]
    assert timeline.next_us == NEVER_US


def test_of_two_at_one_moment_the_first_that_was_planned_is_first(permit: Permit) -> None:
    timeline = Timeline()
    first, second = underway(10, permit=permit), underway(10, permit=permit)
    timeline.plan(0, first)
    timeline.plan(0, second)
    assert [timeline.pop()[1] is one for one in (first, second)] == [True, True]


def test_a_long_exchange_renews_its_slot_until_it_ends(permit: Permit) -> None:
    timeline = Timeline()
    timeline.plan(0, underway(35, permit=permit, renew_every_us=10))
    assert drained(timeline) == [10, 20, 30, 35]

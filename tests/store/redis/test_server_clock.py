"""What is known of the server's clock is never ahead of it."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.redis.server_clock import ServerClock
from tests.parts.clock import START_US, Clock

HOUR_US = 3_600_000_000


def test_nothing_is_known_at_first() -> None:
    assert ServerClock().now_us() == 0


@given(st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 2_000_000)), min_size=1))
def test_it_is_behind_by_no_more_than_the_last_answer_took(
    answers: list[tuple[int, int]],
) -> None:
    here = Clock(1)
    known = ServerClock(here)
    for took_us, passed_us in answers:
        here.now_us += passed_us
        known.told(START_US + here.now_us - took_us)
        assert START_US + here.now_us - took_us <= known.now_us() <= START_US + here.now_us


def test_a_clock_that_was_set_back_is_known_after_a_second() -> None:
    here = Clock(1)
    known = ServerClock(here)
    known.told(START_US)
    here.now_us += 1_000_001
    known.told(START_US - HOUR_US)
    assert known.now_us() == START_US - HOUR_US

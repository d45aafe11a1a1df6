from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.jitter import MOST_US, later_us


@given(st.text(), st.integers(0, MOST_US))
def test_it_adds_at_most_what_is_allowed_and_the_same_again(name: str, most_us: int) -> None:
    assert 0 <= later_us(name, most_us) <= most_us
    assert later_us(name, most_us) == later_us(name, most_us)


def test_none_is_none() -> None:
    assert later_us("r1", 0) == 0


def test_a_crowd_is_parted_evenly() -> None:
    tenths = [later_us(f"{n:016x}", MOST_US) * 10 // (MOST_US + 1) for n in range(10_000)]
    assert all(800 < tenths.count(tenth) < 1_200 for tenth in range(10))

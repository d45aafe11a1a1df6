"""How many different values: exact while few, estimated beyond."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.distinct_values import KEPT, DistinctValues


@given(st.lists(st.integers(2, 2**64 - 1), max_size=KEPT))
def test_few_values_are_counted_exactly(values: list[int]) -> None:
    distinct = DistinctValues()
    for value in values:
        distinct.see(value, 1)
    assert distinct.number(0) == len(set(values))


def test_many_values_are_estimated() -> None:
    distinct, random = DistinctValues(), Random(3)
    for _ in range(10_000):
        distinct.see(random.getrandbits(64), 1)
    assert distinct.number(0) == pytest.approx(10_000, rel=0.4)
    assert len(distinct.kept) == KEPT


def test_what_came_before_the_window_is_not_counted_and_can_be_forgotten() -> None:
    distinct = DistinctValues()
    distinct.see(5, 10)
    distinct.see(6, 20)
    assert distinct.number(15) == 1
    distinct.forget_before(15)
    assert list(distinct.kept) == [6]

"""Counts of tokens: what was not told is unknown, and unknown is not zero."""

import pytest

from gateway.facts.usage import MAX_TOKENS, Usage, token_count


@pytest.mark.parametrize("count", [0, 1, MAX_TOKENS])
def test_a_count_is_a_whole_number(count: int) -> None:
    assert token_count(count) == count


@pytest.mark.parametrize(
    "absurd", [None, -1, MAX_TOKENS + 1, 1.0, float("nan"), True, "1", [1], {"tokens": 1}]
)
def test_an_absurd_count_is_not_reported(absurd: object) -> None:
    assert token_count(absurd) is None


def test_only_both_directions_are_complete() -> None:
    assert Usage(0, 0).complete
    assert not Usage(input_tokens=1).complete
    assert not Usage(output_tokens=1).complete


def test_a_later_report_wins_where_it_tells_something() -> None:
    first = Usage(10, 20, 3, 4, 5)
    assert first.updated_by(Usage(input_tokens=0, reasoning_tokens=7)) == Usage(0, 20, 3, 4, 7)
    assert first.updated_by(Usage()) == first
    assert Usage().updated_by(first) == first

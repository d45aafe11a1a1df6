"""Counts of tokens: what was not told is unknown, and unknown is not zero."""

import pytest

from gateway.facts.usage import MAX_TOKENS, Usage, has_absurd_count, token_count


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


@pytest.mark.parametrize("count", [-1, 2**40 + 1, 1.0, "9", True, [], float("nan")])
def test_a_count_that_cannot_be_one_is_absurd_wherever_it_stands(count: object) -> None:
    assert has_absurd_count({"prompt_tokens": count})
    assert has_absurd_count({"usage_tokens": 1, "details": {"cached_tokens": count}})
    assert has_absurd_count({"candidatesTokenCount": count})


def test_counts_none_and_what_is_no_count_are_not_absurd() -> None:
    usage = {"input_tokens": 0, "reasoning_tokens": None, "cost": 0.1, "details": {"cost": -1.5}}
    assert not has_absurd_count(usage)
    assert not has_absurd_count({"output_tokens_details": {}, "serviceTier": "standard"})


def test_once_absurd_a_report_stays_so() -> None:
    assert Usage(1, absurd=True).updated_by(Usage(2)).absurd
    assert Usage(1).updated_by(Usage(2, absurd=True)).absurd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.prices import Prices, fits
from gateway.policy.remembered import REMEMBERED
from gateway.policy.weights import Weights


def price(amount: int) -> Weights:
    return Weights(amount, amount, amount, amount, amount)


TABLE = Prices(
    {
        "*": price(1),
        "frontier-*": price(2),
        "frontier-*-mini": price(3),
        "frontier-2": price(4),
        "*-mini": price(5),
    }
)


@pytest.mark.parametrize(
    ("model", "amount"),
    [
        ("small", 1),
        ("frontier-1", 2),
        ("frontier-1-mini", 3),
        ("frontier-2", 4),
        ("other-mini", 5),
        ("FRONTIER-2", 1),
        ("", 1),
    ],
)
def test_the_pattern_with_the_most_letters_counts_and_a_name_before_all(
    model: str, amount: int
) -> None:
    assert TABLE.of(model) == price(amount)


def test_of_equals_the_first_in_the_alphabet_counts_whatever_the_order() -> None:
    patterns = [("a*", price(1)), ("*b", price(2))]
    for written in (patterns, reversed(patterns)):
        assert Prices(dict(written)).of("a-b") == price(2)


def test_a_model_that_calls_itself_like_a_pattern_has_the_patterns_price() -> None:
    assert Prices({"a*c": price(1), "a*": price(2)}).of("a*") == price(2)
    assert Prices({"a*c": price(1)}).of("a*") is None


def test_a_model_without_a_price_has_none() -> None:
    assert Prices({"a*": price(1)}).of("b") is None
    assert Prices().of("b") is None


def test_prices_are_complete_only_if_a_pattern_fits_everything() -> None:
    assert Prices({"**": price(1)}).complete
    assert TABLE.complete
    assert not Prices({"a*": price(1)}).complete


def test_the_dearest_price_is_that_of_no_model_in_particular() -> None:
    table = Prices({"a": Weights(1, 9, 1, 1, 1), "b": Weights(5, 1, 1, 1, 1)})
    assert table.dearest == Weights(5, 9, 1, 1, 1)


def test_names_that_callers_make_up_are_not_remembered_for_ever() -> None:
    table = Prices({"a*": price(1)})
    for number in range(REMEMBERED + 10):
        table.of(f"a{number}")
    assert len(table._found) == REMEMBERED


LETTERS = st.text("ab", max_size=8)


@given(st.lists(st.sampled_from(["a", "b", "*"]), max_size=6), LETTERS)
def test_a_pattern_fits_what_it_would_fit_by_trying_everything(parts: list[str], name: str) -> None:
    def tried(pattern: list[str], rest: str) -> bool:
        if not pattern:
            return not rest
        if pattern[0] == "*":
            return any(tried(pattern[1:], rest[cut:]) for cut in range(len(rest) + 1))
        return rest[:1] == pattern[0] and tried(pattern[1:], rest[1:])

    if "*" in parts:
        assert fits("".join(parts), name) == tried(parts, name)

from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.weights import ONE, TokenCounts, Weights, counts, dearest

PRICE = Weights(
    input=3_000_000, cached=300_000, cache_write=3_750_000, output=15_000_000, reasoning=15_000_000
)
"""Micro-USD for a million tokens."""


def test_each_kind_of_token_is_counted_once() -> None:
    usage = Usage(100, 50, cached_tokens=60, cache_write_tokens=10, reasoning_tokens=20)
    assert counts(100, 50, usage) == TokenCounts(30, 60, 10, 30, 20)


def test_what_is_not_reported_is_plain_input_and_output() -> None:
    assert counts(100, 50, UNREPORTED) == TokenCounts(input=100, output=50)


def test_parts_that_exceed_the_whole_are_cut_to_it() -> None:
    usage = Usage(100, 50, cached_tokens=90, cache_write_tokens=90, reasoning_tokens=80)
    assert counts(100, 50, usage) == TokenCounts(0, 90, 10, 0, 50)
    assert counts(10, 0, Usage(cached_tokens=90)) == TokenCounts(cached=10)


def test_units_are_exact_and_rounded_up() -> None:
    assert PRICE.units(TokenCounts(1_000, 10_000, 0, 100, 0)) == 3_000 + 3_000 + 1_500
    assert PRICE.units(TokenCounts(cached=1)) == 1
    assert PRICE.units(TokenCounts()) == 0
    assert Weights(ONE, 0, 0, ONE, 0).units(TokenCounts(7, 9, 9, 5, 9)) == 12


def test_the_most_takes_every_token_for_its_dearest_kind() -> None:
    assert PRICE.most(1_000, 100) == 3_750 + 1_500
    assert PRICE.most(1_000, 100) >= PRICE.units(TokenCounts(0, 0, 1_000, 0, 100))


def test_what_is_declared_is_plain_input_and_dear_output() -> None:
    assert PRICE.declared(1_000, 100) == 3_000 + 1_500


def test_the_dearest_is_found_for_each_kind_apart() -> None:
    assert dearest((Weights(1, 9, 1, 1, 9), Weights(5, 2, 3, 1, 1))) == Weights(5, 9, 3, 1, 9)

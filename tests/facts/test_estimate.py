"""Estimates before a model has said anything."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.estimate import (
    MODELS_REMEMBERED,
    UNKNOWN_MODEL_OUTPUT_TOKENS,
    OutputEstimator,
    input_tokens,
    output_tokens,
)


def test_text_is_four_bytes_a_token_rounded_up() -> None:
    assert [output_tokens(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
    assert input_tokens(5, messages=2) == 2 + 8


def test_an_unknown_model_gets_a_start() -> None:
    assert OutputEstimator().expect("new") == UNKNOWN_MODEL_OUTPUT_TOKENS


@given(st.integers(1, 100_000))
def test_a_model_that_always_writes_the_same_is_expected_to(written: int) -> None:
    estimator = OutputEstimator()
    for _ in range(20):
        estimator.learn("model", written)
    assert estimator.expect("model") == written


def test_a_few_short_answers_prove_little() -> None:
    estimator = OutputEstimator()
    for _ in range(18):
        estimator.learn("model", 3)
    assert estimator.expect("model") == UNKNOWN_MODEL_OUTPUT_TOKENS


def test_the_learned_ceiling_covers_most_answers() -> None:
    estimator = OutputEstimator()
    covered = 0
    for turn in range(5_000):
        written = 1 + turn * 7919 % 1000  # evenly spread over 1 to 1,000
        covered += turn >= 1_000 and written <= estimator.expect("model")
        estimator.learn("model", written)
    assert 0.85 <= covered / 4_000 <= 1


def test_an_expectation_is_never_nothing() -> None:
    estimator = OutputEstimator()
    for _ in range(5_000):
        estimator.learn("mute", 0)
    assert estimator.expect("mute") == 1


def test_names_made_up_by_callers_do_not_fill_the_memory() -> None:
    estimator = OutputEstimator()
    for turn in range(MODELS_REMEMBERED + 100):
        estimator.learn("kept", 7)
        estimator.learn(f"made-up-{turn}", 7)
    assert len(estimator._by_model) == MODELS_REMEMBERED
    assert estimator.expect("kept") < UNKNOWN_MODEL_OUTPUT_TOKENS
    assert estimator.expect("made-up-0") == UNKNOWN_MODEL_OUTPUT_TOKENS

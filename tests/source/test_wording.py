import pytest

from gateway.source.wording import SHOWN_CHARACTERS, allowed_words, kind, nearest, shown


def test_a_value_is_shown_in_quotes_printable_and_short() -> None:
    assert shown("a\nb") == '"a\ufffdb"'
    assert len(shown("x" * 1_000)) == SHOWN_CHARACTERS + 2


@pytest.mark.parametrize(
    ("word", "guess"),
    [("accaunt", "account"), ("ACCOUNT", "account"), ("xyz", None), ("", None), ("a" * 999, None)],
)
def test_the_nearest_word_is_guessed(word: str, guess: str | None) -> None:
    assert nearest(word, ["account", "model"]) == guess


def test_the_allowed_words_are_told_with_a_guess_if_there_is_one() -> None:
    assert allowed_words("modeel", ["a", "model"]) == 'Allowed: a, model. Did you mean "model"?'
    assert allowed_words("zzz", ["a", "model"]) == "Allowed: a, model."


@pytest.mark.parametrize(
    ("value", "called"),
    [
        (None, "nothing"),
        (True, "the truth value true"),
        (5, "the number 5"),
        (10**100, "a number"),
        ("no", 'the text "no"'),
        ({}, "a mapping"),
        ([], "a list"),
    ],
)
def test_values_are_called_what_operators_call_them(value: object, called: str) -> None:
    assert kind(value) == called

"""The words of an error: values as an operator wrote them, and the nearest allowed one."""

from collections.abc import Iterable
from difflib import get_close_matches

from gateway.source.problems import printable

SHOWN_CHARACTERS = 60
GUESSED_CHARACTERS = 64
"""Comparing takes the square of the length, and nobody mistypes a longer word."""


def shown(text: str) -> str:
    """A value inside a sentence: in quotes, printable, not too long."""
    cut = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return f'"{printable(cut)}"'


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that was probably meant, whatever its case."""
    if len(word) > GUESSED_CHARACTERS:
        return None
    known = {name.lower(): name for name in allowed}
    near = get_close_matches(word.lower(), known, n=1)
    return known[near[0]] if near else None


def allowed_words(word: str, allowed: Iterable[str]) -> str:
    """What may be written, and the nearest of it: `Allowed: a, b. Did you mean "a"?`."""
    names = list(allowed)
    guess = nearest(word, names)
    return f"Allowed: {', '.join(names)}." + (f' Did you mean "{guess}"?' if guess else "")


def kind(value: object) -> str:
    """What an operator calls a value: `the number 5`, `a list`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}" if len(str(value)) <= SHOWN_CHARACTERS else "a number"
        case str():
            return f"the text {shown(value)}"
        case dict():
            return "a mapping"
        case _:
            return "a list"

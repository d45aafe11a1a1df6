"""What a plain word means in YAML: the core schema of YAML 1.2 (section 10.3.2), nothing else.

PyYAML follows YAML 1.1, where `no` is false, `010` is eight and `1:30` is ninety.
"""

import re

Scalar = str | int | float | bool | None

DIGITS = 400
"""More than any float holds; without a bound a long number takes the square of its length."""

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float("inf") for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: float("-inf") for word in (".inf", ".Inf", ".INF")},
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def scalar(text: str) -> Scalar:
    """The value of a word that stands without quotes. Raises ValueError: an endless number."""
    if text in _WORDS:
        return _WORDS[text]
    if _FLOAT.fullmatch(text) is None and text[:2] not in ("0o", "0x"):
        return text
    if len(text) > DIGITS:
        raise ValueError(f"this number has {len(text)} digits")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text

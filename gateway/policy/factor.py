"""Plain factors: by how much a plan's limits are larger, how much a kind of token counts."""

import re
from fractions import Fraction

from gateway.policy.rate import NotUnderstood
from gateway.source.wording import shown

MOST = 1_000_000

_FACTOR = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,6})?")
_PERCENT = re.compile(r"([1-9][0-9]?)%")


def factor(text: str) -> Fraction:
    """A number from 0 to a million, exact. Raises `NotUnderstood`."""
    written = text.strip()
    if written.startswith("-"):
        raise NotUnderstood(f"{shown(written)} is negative. Write 0 or more.")
    if _FACTOR.fullmatch(written) is None:
        raise NotUnderstood(
            f"{shown(written)} is not a factor. Write a number, with up to six decimals: 5, 0.25."
        )
    if (found := Fraction(written)) > MOST:
        raise NotUnderstood(f"{shown(written)} is too much. The most is {MOST:,}.")
    return found


def scale_factor(text: str) -> Fraction:
    """A factor that leaves something of a limit. Raises `NotUnderstood`."""
    found = factor(text)
    if not found:
        raise NotUnderstood(
            f"{shown(text.strip())} would never admit anything. Write more than 0; to keep a plan "
            'out of a model, write a rule with "when".'
        )
    return found


def percent(text: str) -> int:
    """`80%`. Raises `NotUnderstood`."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise NotUnderstood(
            f"{shown(text)} is not a share of a limit. Write 1% to 99%, for example 80%."
        )
    return int(match[1])

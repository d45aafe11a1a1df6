from fractions import Fraction

import pytest

from gateway.policy.factor import factor, percent, scale_factor
from gateway.policy.rate import NotUnderstood


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", Fraction(5)),
        ("0.1", Fraction(1, 10)),
        ("0", Fraction(0)),
        (" 1.250000 ", Fraction(5, 4)),
    ],
)
def test_a_factor_is_exact(text: str, number: Fraction) -> None:
    assert factor(text) == number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-1", "is negative"),
        ("x5", "is not a factor"),
        ("5x", "is not a factor"),
        ("1e3", "is not a factor"),
        ("0.1234567", "is not a factor"),
        ("1000001", "The most is 1,000,000"),
        ("inf", "is not a factor"),
        ("", "is not a factor"),
    ],
)
def test_what_is_no_factor_is_refused(text: str, words: str) -> None:
    with pytest.raises(NotUnderstood, match=words):
        factor(text)


def test_a_plan_is_not_scaled_to_nothing() -> None:
    assert scale_factor("0.5") == Fraction(1, 2)
    with pytest.raises(NotUnderstood, match="would never admit anything"):
        scale_factor("0.0")


def test_a_share_is_a_whole_percentage() -> None:
    assert (percent("80%"), percent(" 1%"), percent("99%")) == (80, 1, 99)
    for text in ("80", "0%", "100%", "0.8", "08%", "-5%", "%"):
        with pytest.raises(NotUnderstood, match="is not a share of a limit"):
            percent(text)

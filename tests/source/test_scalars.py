import math

import pytest

from gateway.source.scalars import DIGITS, Scalar, scalar


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        # what YAML 1.1 takes for truth values, and 1.2 for words
        ("no", "no"),
        ("No", "No"),
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("tRue", "tRue"),
        ("true", True),
        ("False", False),
        # octals of C, sexagesimals, underscores, binaries and dates are gone
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("0x1G", "0x1G"),
        ("0o8", "0o8"),
        ("0b1", "0b1"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("1_000", "1_000"),
        ("2001-12-14", "2001-12-14"),
        # numbers
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1e3", -1000.0),
        ("1e", "1e"),
        ("+", "+"),
        (".", "."),
        ("٣", "٣"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        # nothing
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("none", "none"),
        ("600 requests/minute", "600 requests/minute"),
    ],
)
def test_a_plain_word_means_what_yaml_1_2_says(written: str, meant: Scalar) -> None:
    value = scalar(written)
    assert value == meant
    assert type(value) is type(meant)


def test_not_a_number_is_a_number() -> None:
    value = scalar(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize("written", ["9" * (DIGITS + 1), "0x" + "f" * DIGITS, "1." + "0" * DIGITS])
def test_an_endless_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        scalar(written)

from dataclasses import replace

import pytest

from gateway.console.wording import clock, count, lasting, limit_words, milliseconds, moment
from gateway.policy.quota import SECOND_US, Limit, Period, Unit, WindowKind
from tests.parts.values import limit


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (limit(60), "60 requests / minute"),
        (limit(5, window_us=15 * 60 * SECOND_US), "5 requests / 15 minutes"),
        (limit(5, window_us=90 * SECOND_US), "5 requests / 90 seconds"),
        (limit(5, window_us=SECOND_US // 2), "5 requests / 0.5 seconds"),
        (
            limit(2_000_000, Unit.INPUT_TOKENS, window_us=7 * 86_400 * SECOND_US),
            "2,000,000 input tokens / week",
        ),
        (
            limit(1_000, Unit.TOKENS, kind=WindowKind.BUCKET, burst=50),
            "1,000 tokens / minute, 50 tokens at once",
        ),
        (limit(8, Unit.CONCURRENT), "8 in flight"),
        (limit(40_500_000, Unit.MICRO_USD), "40.50 USD / minute"),
        (
            replace(
                limit(5, kind=WindowKind.CALENDAR), period=Period.MONTH, timezone="Europe/Berlin"
            ),
            "5 requests / month, calendar of Europe/Berlin",
        ),
    ],
)
def test_a_limit_reads_as_an_operator_says_it(of: Limit, words: str) -> None:
    assert limit_words(of) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (93_784, "1 d 2 h"),
        (86_400, "1 d"),
    ],
)
def test_a_time_is_told_by_its_two_largest_parts(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_moments_are_in_utc() -> None:
    assert clock(1_780_000_000 * SECOND_US) == "20:26:40"
    assert moment(1_780_000_000 * SECOND_US) == "2026-05-28 20:26:40 UTC"


def test_numbers_are_grouped_and_the_unknown_is_a_dash() -> None:
    assert (count(1_234), count(0), count(None)) == ("1,234", "0", "\N{EN DASH}")
    assert (milliseconds(0.4), milliseconds(999), milliseconds(1_500)) == (
        "0 ms",
        "999 ms",
        "1.5 s",
    )

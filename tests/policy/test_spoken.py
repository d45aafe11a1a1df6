import pytest

from gateway.policy.quota import SECOND_US, Limit, Period, Unit, WindowKind
from gateway.policy.spoken import spoken_amount, spoken_limit
from tests.parts.values import MINUTE_US, limit

DAY_US = 86_400 * SECOND_US


@pytest.mark.parametrize(
    ("unit", "amount", "words"),
    [
        (Unit.REQUESTS, 1, "1 request"),
        (Unit.TOKENS, 2_000_000, "2,000,000 tokens"),
        (Unit.REASONING_TOKENS, 9, "9 reasoning tokens"),
        (Unit.CONCURRENT, 1, "1 concurrent"),
        (Unit.MICRO_USD, 40_000_000, "40 USD"),
        (Unit.MICRO_USD, 1_234_500_000, "1,234.50 USD"),
        (Unit.MICRO_USD, 61_500, "0.0615 USD"),
        (Unit.MICRO_USD, 1, "0.000001 USD"),
        (Unit.MICRO_USD, 0, "0 USD"),
    ],
)
def test_an_amount_is_spoken_with_its_unit(unit: Unit, amount: int, words: str) -> None:
    assert spoken_amount(unit, amount) == words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (limit(1, window_us=SECOND_US), "1 request a second"),
        (limit(600), "600 requests a minute"),
        (limit(1, window_us=60 * MINUTE_US), "1 request an hour"),
        (limit(2_000_000, Unit.TOKENS, window_us=DAY_US), "2,000,000 tokens a day"),
        (limit(9, Unit.INPUT_TOKENS, window_us=15 * MINUTE_US), "9 input tokens per 15 minutes"),
        (limit(9, window_us=90 * SECOND_US), "9 requests per 90 seconds"),
        (limit(500_000, Unit.MICRO_USD, window_us=7 * DAY_US), "0.50 USD a week"),
        (limit(8, Unit.CONCURRENT), "8 concurrent"),
        (
            Limit(
                "q",
                Unit.MICRO_USD,
                WindowKind.CALENDAR,
                40_000_000,
                30 * DAY_US,
                period=Period.MONTH,
            ),
            "40 USD a month",
        ),
    ],
)
def test_limits_are_spoken_as_people_say_them(of: Limit, words: str) -> None:
    assert spoken_limit(of) == words

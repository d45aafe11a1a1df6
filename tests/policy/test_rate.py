import limits
import pytest

from gateway.policy.quota import SECOND_US, Period, Unit
from gateway.policy.rate import (
    MAX_AMOUNT,
    MAX_WINDOW_US,
    NotUnderstood,
    Rate,
    amount,
    duration_us,
    money,
    rate,
)

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("600 requests/minute", Rate(600, Unit.REQUESTS, MINUTE_US)),
        ("2M tokens/day", Rate(2_000_000, Unit.TOKENS, DAY_US)),
        ("200k output_tokens/hour", Rate(200_000, Unit.OUTPUT_TOKENS, HOUR_US)),
        ("1G input_tokens/month", Rate(10**9, Unit.INPUT_TOKENS, 30 * DAY_US)),
        ("8 concurrent", Rate(8, Unit.CONCURRENT, 0)),
        ("50k reasoning_tokens/hour", Rate(50_000, Unit.REASONING_TOKENS, HOUR_US)),
        ("1M cached_tokens/day", Rate(10**6, Unit.CACHED_TOKENS, DAY_US)),
        ("40 USD/day", Rate(40_000_000, Unit.MICRO_USD, DAY_US)),
        ("0.000001 USD per 2 hours", Rate(1, Unit.MICRO_USD, 2 * HOUR_US)),
        ("1.5k USD/month", Rate(1_500_000_000, Unit.MICRO_USD, 30 * DAY_US)),
        ("1_000.25 USD/week", Rate(1_000_250_000, Unit.MICRO_USD, 7 * DAY_US)),
        ("100 requests/15 minutes", Rate(100, Unit.REQUESTS, 15 * MINUTE_US)),
        ("1_000 requests/week", Rate(1_000, Unit.REQUESTS, 7 * DAY_US)),
        ("1_000_000 tokens per 2 hours", Rate(1_000_000, Unit.TOKENS, 2 * HOUR_US)),
        ("1 request / second", Rate(1, Unit.REQUESTS, SECOND_US)),
        ("  5  requests/minute\n", Rate(5, Unit.REQUESTS, MINUTE_US)),
        ("20/min", Rate(20, Unit.REQUESTS, MINUTE_US)),
        ("20/sec", Rate(20, Unit.REQUESTS, SECOND_US)),
        ("5M/day", Rate(5_000_000, Unit.REQUESTS, DAY_US)),
        ("12 requests/12 months", Rate(12, Unit.REQUESTS, 360 * DAY_US)),
        (f"{MAX_AMOUNT} tokens/366 days", Rate(MAX_AMOUNT, Unit.TOKENS, MAX_WINDOW_US)),
    ],
)
def test_a_limit_is_an_amount_a_unit_and_a_window(written: str, meant: Rate) -> None:
    assert rate(written) == meant


@pytest.mark.parametrize(
    "written",
    ["600/minute", "10 per 2 hours", "10 per hour", "1/second", "5/10 days", "7 per 3 months"],
)
def test_the_notation_of_limits_means_what_limits_says(written: str) -> None:
    item = limits.parse(written)
    assert rate(written) == Rate(item.amount, Unit.REQUESTS, item.get_expiry() * SECOND_US)


@pytest.mark.parametrize(
    "written", ["10/0 minutes", "5/second; 10/minute", "10/year", "10/1 years"]
)
def test_what_limits_would_misread_never_reaches_it(written: str) -> None:
    limits.parse(written)  # it finds nothing wrong
    with pytest.raises(NotUnderstood):
        rate(written)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("0 requests/minute", "would never admit anything"),
        ("0/minute", "would never admit anything"),
        ("0 concurrent", "would never admit anything"),
        ("-1 requests/minute", "is negative"),
        ("1.5M tokens/day", "is a fraction"),
        (".5 tokens/day", "is a fraction"),
        (f"{MAX_AMOUNT + 1} tokens/day", "more than gauger can count exactly"),
        ("99999999999999999999 tokens/day", f"The most is {MAX_AMOUNT:,}"),
        ("99_999_999_999_999_999_999 tokens/day", f"The most is {MAX_AMOUNT:,}"),
        ("99999999999999999999/day", f"The most is {MAX_AMOUNT:,}"),
        ("99999999999999999999 USD/day", "The most is 1,099,511 USD"),
        ("9999G tokens/day", "more than gauger can count exactly"),
        ("99999999999999/day", "more than gauger can count exactly"),
        ("9" * 5_000 + " tokens/day", "is not an amount"),
        ("5m tokens/day", '"5m" is not an amount'),
        ("1_00 tokens/day", "is not an amount"),
        ("1,000 tokens/day", "more than one limit"),
        ("unlimited", "is not an amount"),
        ("", "is not an amount"),
        ("٣ tokens/day", "is not an amount"),
        ("600", "has no window. Write for example 600 requests/minute"),
        ("5 tokens", "has no window. Write for example 5 tokens/minute"),
        ("8 concurrent/minute", "in flight has none. Write 8 concurrent"),
        ("5 token_s/day", 'Did you mean "tokens"?'),
        ("5 TOKENS/day", 'Did you mean "tokens"?'),
        ("5 tokens each/day", '"tokens each" in "5 tokens each/day" is not a unit'),
        ("40 usd/day", 'Did you mean "USD"?'),
        ("40 EUR/day", '"EUR" in "40 EUR/day" is not a unit'),
        ("40 USD", "has no window. Write for example 40 USD/minute"),
        ("-40 USD/day", "is negative"),
        ("0 USD/day", "would never admit anything"),
        ("0.0000001 USD/day", "is not an amount of money"),
        ("1.5.0 USD/day", "is not an amount of money"),
        ("$40 USD/day", "is not an amount of money"),
        ("1_099_512 USD/day", "The most is 1,099,511 USD"),
        ("99G USD/day", "The most is 1,099,511 USD"),
        ("$40/day", '"$40" is not an amount'),
        ("5 requests/minit", 'Did you mean "minute"?'),
        ("5 requests/m", '"m" in "5 requests/m" is not a window'),
        ("5 requests/s", '"s" in "5 requests/s" is not a window'),
        ("5 requests/year", "Allowed: second, minute, hour, day, week, month"),
        ("5 requests/", "is not a window"),
        ("5 requests/two days", "is not a whole number of windows"),
        ("5 requests/1.5 days", "is not a whole number of windows"),
        ("5 requests/0 days", "has an empty window"),
        ("5 requests/367 days", "more than a year"),
        ("5/13 months", "more than a year"),
        ("5/minute/hour", "more than one limit"),
        ("5/second;10/minute", "more than one limit"),
    ],
)
def test_what_is_no_limit_is_refused_with_what_to_write(written: str, words: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        rate(written)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("5/minute", Period.MINUTE),
        ("5 per hour", Period.HOUR),
        ("40 USD/day", Period.DAY),
        ("2M tokens/week", Period.WEEK),
        ("2M tokens/1 month", Period.MONTH),
        ("5/month", Period.MONTH),
        ("5/30 days", None),
        ("5 tokens/30 days", None),
        ("5 tokens/24 hours", None),
        ("5/second", None),
        ("8 concurrent", None),
    ],
)
def test_a_limit_knows_the_part_of_the_calendar_that_it_names(
    written: str, period: Period | None
) -> None:
    assert rate(written).period is period


@pytest.mark.parametrize(
    ("written", "micro"),
    [("40 USD", 40_000_000), (" 0.30  USD ", 300_000), ("2k USD", 2_000_000_000)],
)
def test_money_is_counted_in_millionths(written: str, micro: int) -> None:
    assert money(written) == micro


def test_a_price_may_be_nothing() -> None:
    assert money("0 USD", least=0) == 0
    assert money("0.00 USD", least=0) == 0


@pytest.mark.parametrize(("written", "units"), [("50k", 50_000), (" 1_000 ", 1_000), ("7", 7)])
def test_an_amount_may_be_written_with_its_thousands(written: str, units: int) -> None:
    assert amount(written) == units


@pytest.mark.parametrize(
    "written", ["50 k", "50K", "50k tokens", "k", "0", "1e3", "+5", "-5", "5."]
)
def test_anything_else_is_no_amount(written: str) -> None:
    with pytest.raises(NotUnderstood):
        amount(written)


@pytest.mark.parametrize(
    ("written", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3_600), ("7d", 7 * 86_400)]
)
def test_a_duration_is_a_number_with_its_letter(written: str, seconds: int) -> None:
    assert duration_us(written) == seconds * SECOND_US


@pytest.mark.parametrize("written", ["30", "30 seconds", "1.5h", "-1s", "1w", "", "1h30m"])
def test_anything_else_is_no_duration(written: str) -> None:
    with pytest.raises(NotUnderstood, match="is not a duration"):
        duration_us(written)

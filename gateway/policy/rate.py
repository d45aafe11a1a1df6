"""`600 requests/minute`, `2M tokens/day`, `8 concurrent`: the notation of limits, as numbers.

A limit is an amount, a unit and a window. Amounts are whole: `600`, `1_000_000`, `50k`, `2M`, `1G`
(thousands, millions, thousand millions); only money has decimals: `0.50 USD`. A window is `second`,
`minute`, `hour`, `day`, `week` or `month`, or several of them (`15 minutes`); a month is 30 days,
unless the rule says `window: calendar`.

The notation of the `limits` package (`600/minute`, `10 per 2 hours`) means requests and is read by
that package. It is never shown a text that it would misread: it takes `10/0 minutes` for
`10/minute`, keeps only the first of `5/second; 10/minute`, and its year has 360 days.
"""

import re
from dataclasses import dataclass, field

import limits

from gateway.policy.quota import SECOND_US, Period, Unit
from gateway.source.wording import allowed_words, shown

MAX_AMOUNT = 1 << 40
"""A million million. 64 times this is still exact in the doubles that Lua counts with (2^53)."""

MICRO = 1_000_000
"""Money is counted in millionths of a dollar."""

MAX_WINDOW_US = 366 * 86_400 * SECOND_US

MAX_USD = MAX_AMOUNT // MICRO

EXAMPLES = "600 requests/minute, 2M tokens/day, 40 USD/day, 100 requests/15 minutes, 8 concurrent"

_WINDOW_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 30 * 86_400,
}
_WINDOW_ALIASES = {"sec": "second", "min": "minute"}

_PERIODS = {period.value: period for period in Period}

USD = "USD"
UNITS = {USD if unit is Unit.MICRO_USD else unit.value: unit for unit in Unit}
"""By the name that an operator writes."""

_DURATION_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

_SCALE = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}

_LIMITS_NOTATION = re.compile(
    r"[0-9]{1,40} ?(?:/| per ) ?(?:[1-9][0-9]{0,8} )?(?:second|minute|hour|day|month)s?"
)
_PER = re.compile(r"\s*/\s*|\s+per\s+")
_AMOUNT = re.compile(r"([0-9]{1,40}|[0-9]{1,3}(?:_[0-9]{3}){1,13})([kMG]?)")
_MONEY = re.compile(r"([0-9]{1,40}|[0-9]{1,3}(?:_[0-9]{3}){1,13})(?:\.([0-9]{1,6}))?([kMG]?)")
_FRACTION = re.compile(r"[0-9]*\.[0-9]+[kMG]?|[0-9]+\.[kMG]?")
_COUNT = re.compile(r"[0-9]{1,9}")
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")


class NotUnderstood(ValueError):
    """The message says what was found, what is allowed and what to do."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit as it was written. `window_us` is 0 for what is in flight."""

    amount: int
    unit: Unit
    window_us: int
    period: Period | None = field(default=None, compare=False)
    """The part of a calendar that was named; None for several of one, and for a second."""


def rate(text: str) -> Rate:
    """The limit that a text means. Raises `NotUnderstood`."""
    written = " ".join(text.split())
    if _LIMITS_NOTATION.fullmatch(written):
        item = limits.parse(written)
        return Rate(
            _sound_amount(item.amount, written),
            Unit.REQUESTS,
            _sound_window(item.get_expiry() * SECOND_US, written),
            _PERIODS.get(item.GRANULARITY.name) if item.multiples == 1 else None,
        )
    counted, *windows = _PER.split(written)
    if len(windows) > 1 or any(mark in written for mark in ",;|"):
        raise NotUnderstood(
            f"{shown(text)} is more than one limit. Write a list: [600 requests/minute, "
            "10k requests/day]."
        )
    number, _, word = counted.partition(" ")
    units = money(counted) if word == USD else amount(number)
    unit = _unit(word, text)
    if unit is Unit.CONCURRENT:
        if windows:
            raise NotUnderstood(
                f"{shown(text)} has a window, but what is in flight has none. "
                f"Write {number} concurrent."
            )
        return Rate(units, unit, 0)
    if not windows:
        raise NotUnderstood(
            f"{shown(text)} has no window. Write for example {number} {word or 'requests'}/minute."
        )
    window_us, period = _window(windows[0], text)
    return Rate(units, unit, window_us, period)


def amount(text: str) -> int:
    """A whole number of at least 1, with `k`, `M` or `G`. Raises `NotUnderstood`."""
    written = text.strip()
    match = _AMOUNT.fullmatch(written)
    if match:
        return _sound_amount(int(match[1].replace("_", "")) * _SCALE[match[2]], written)
    _demand_no_sign(written)
    if _FRACTION.fullmatch(written):
        raise NotUnderstood(
            f"{shown(written)} is a fraction. Amounts are whole: write 1500k for 1.5M. Only USD "
            "has decimals."
        )
    raise NotUnderstood(
        f"{shown(written)} is not an amount. Write a whole number, with k, M or G if you like: "
        "600, 1_000, 50k, 2M."
    )


def money(text: str, *, least: int = 1) -> int:
    """`40 USD`, `0.50 USD`, `1.5k USD` in micro-USD. Raises `NotUnderstood`.

    `least` is 0 where something may be free.
    """
    written = " ".join(text.split())
    number, _, currency = written.partition(" ")
    _demand_no_sign(written)
    match = _MONEY.fullmatch(number)
    if currency != USD or match is None:
        raise NotUnderstood(
            f"{shown(written)} is not an amount of money. Write a number, with up to six decimals, "
            "and USD: 40 USD, 0.25 USD, 1.5k USD."
        )
    whole, decimals, suffix = match.groups(default="")
    micro = int(whole.replace("_", "") + decimals.ljust(6, "0")) * _SCALE[suffix]
    if micro < least:
        raise NotUnderstood(
            f"{shown(written)} would never admit anything. The least is 0.000001 USD."
        )
    if micro > MAX_AMOUNT:
        raise NotUnderstood(
            f"{shown(written)} is more than gauger can count exactly. The most is {MAX_USD:,} USD."
        )
    return micro


def duration_us(text: str) -> int:
    """`30s`, `5m`, `1h`, `7d` in microseconds. Raises `NotUnderstood`."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise NotUnderstood(
            f"{shown(text)} is not a duration. Write a whole number and s, m, h or d: 30s, 5m, 1h."
        )
    return int(match[1]) * _DURATION_SECONDS[match[2]] * SECOND_US


def _unit(word: str, text: str) -> Unit:
    if not word:
        return Unit.REQUESTS
    unit = UNITS.get(word) or UNITS.get(f"{word}s")
    if unit:
        return unit
    raise NotUnderstood(
        f"{shown(word)} in {shown(text)} is not a unit. {allowed_words(word, UNITS)} "
        f"Examples: {EXAMPLES}."
    )


def _window(written: str, text: str) -> tuple[int, Period | None]:
    number, _, rest = written.rpartition(" ")
    count = 1
    if number:
        if not _COUNT.fullmatch(number):
            raise NotUnderstood(
                f"{shown(number)} in {shown(text)} is not a whole number of windows. "
                f"Examples: {EXAMPLES}."
            )
        count = int(number)
    word = rest.removesuffix("s") if rest != "s" else rest
    word = _WINDOW_ALIASES.get(word, word)
    if word not in _WINDOW_SECONDS:
        raise NotUnderstood(
            f"{shown(rest)} in {shown(text)} is not a window. "
            f"{allowed_words(word, _WINDOW_SECONDS)} Examples: {EXAMPLES}."
        )
    window_us = _sound_window(count * _WINDOW_SECONDS[word] * SECOND_US, text)
    return window_us, _PERIODS.get(word) if count == 1 else None


def _demand_no_sign(written: str) -> None:
    if written.startswith("-"):
        raise NotUnderstood(
            f"{shown(written)} is negative. For no limit, delete the rule; nothing means unlimited."
        )


def _sound_amount(number: int, text: str) -> int:
    if number == 0:
        raise NotUnderstood(
            f"{shown(text)} would never admit anything. The least is 1; to keep an account out, "
            "take its keys from the accounts file."
        )
    if number > MAX_AMOUNT:
        raise NotUnderstood(
            f"{shown(text)} is more than gauger can count exactly. The most is {MAX_AMOUNT:,}; "
            "for no limit, delete the rule."
        )
    return number


def _sound_window(window_us: int, text: str) -> int:
    if window_us == 0:
        raise NotUnderstood(f"{shown(text)} has an empty window. The least is one second.")
    if window_us > MAX_WINDOW_US:
        raise NotUnderstood(
            f"{shown(text)} has a window of more than a year. The most is 366 days."
        )
    return window_us

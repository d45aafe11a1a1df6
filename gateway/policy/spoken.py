"""Amounts and windows as people say them: `2,000,000 tokens a day`, `40 USD a month`."""

from gateway.policy.quota import SECOND_US, Limit, Unit

_MICRO = 1_000_000
_CENT = 10_000
_SPANS = (("week", 7 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def spoken_amount(unit: Unit, amount: int) -> str:
    """`1 request`, `9 input tokens`, `0.50 USD`."""
    if unit is Unit.MICRO_USD:
        return f"{_dollars(amount)} USD"
    word = unit.value.replace("_", " ")
    if unit is not Unit.CONCURRENT and amount == 1:
        word = word.removesuffix("s")
    return f"{amount:,} {word}"


def spoken_limit(limit: Limit) -> str:
    """`5 requests a minute`, `9 tokens per 15 minutes`, `8 concurrent`."""
    amount = spoken_amount(limit.unit, limit.amount)
    return amount if limit.unit is Unit.CONCURRENT else f"{amount} {_per(limit)}"


def _dollars(micro: int) -> str:
    """Whole dollars, or cents, or as many more decimals as it takes."""
    whole, rest = divmod(micro, _MICRO)
    if not rest:
        return f"{whole:,}"
    if not rest % _CENT:
        return f"{whole:,}.{rest // _CENT:02}"
    return f"{whole:,}.{rest:06}".rstrip("0")


def _per(limit: Limit) -> str:
    if limit.period:
        return _each(limit.period.value)
    for name, seconds in _SPANS:
        number, rest = divmod(limit.window_us, seconds * SECOND_US)
        if number and not rest:
            return _each(name) if number == 1 else f"per {number} {name}s"
    return f"per {limit.window_us / SECOND_US:g} seconds"


def _each(name: str) -> str:
    return f"an {name}" if name == "hour" else f"a {name}"

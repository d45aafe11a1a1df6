"""Numbers as people read them on the page."""

from datetime import UTC, datetime

from gateway.policy.quota import SECOND_US, Limit, Unit, WindowKind
from gateway.policy.spoken import spoken_amount

_PERIODS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_THOUSAND = 1_000


def limit_words(limit: Limit) -> str:
    """`60 requests / minute`, `8 in flight`; a bucket with what it lets through at once."""
    if limit.unit is Unit.CONCURRENT:
        return f"{limit.amount:,} in flight"
    period = limit.period.value if limit.period else _period(limit.window_us)
    words = f"{spoken_amount(limit.unit, limit.amount)} / {period}"
    if limit.kind is WindowKind.CALENDAR:
        return f"{words}, calendar of {limit.timezone}"
    burst = spoken_amount(limit.unit, limit.burst)
    return f"{words}, {burst} at once" if limit.kind is WindowKind.BUCKET else words


def count(value: int | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:,}"


def clock(at_us: int) -> str:
    """In UTC."""
    return f"{datetime.fromtimestamp(at_us / SECOND_US, UTC):%H:%M:%S}"


def moment(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / SECOND_US, UTC):%Y-%m-%d %H:%M:%S} UTC"


def lasting(seconds: float) -> str:
    """The two largest parts: `3 d 4 h`, `12 s`."""
    left, parts = int(seconds), []
    for sign, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, left = divmod(left, length)
        if number:
            parts.append(f"{number} {sign}")
    return " ".join(parts[:2]) or "0 s"


def milliseconds(duration_ms: float) -> str:
    return (
        f"{duration_ms / _THOUSAND:.1f} s" if duration_ms >= _THOUSAND else f"{duration_ms:.0f} ms"
    )


def _period(window_us: int) -> str:
    for name, seconds in _PERIODS:
        number, rest = divmod(window_us, seconds * SECOND_US)
        if number and not rest:
            return name if number == 1 else f"{number} {name}s"
    return f"{window_us / SECOND_US:g} seconds"

"""When the windows of a calendar begin: at the operator's midnight, whatever the clocks do.

A day has 23 or 25 hours when summer time comes or goes. Where midnight does not exist the day
begins with the first moment that it has. An hour that the clocks repeat is a window of its own; one
that they cut short belongs to the one before it.

Timezones come from the machine's database (`zoneinfo`), or from the package `tzdata`: the one file
that the core reads, as constant as the program itself.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.policy.quota import SECOND_US, Limit, Period

_EVEN_S = {Period.MINUTE: 60, Period.HOUR: 3_600}
_CALENDARS_KEPT = 256


def boundaries(limit: Limit, now_us: int) -> tuple[int, ...]:
    """The beginnings of the last, the present and the next two windows around now, rising.

    They tell the window of every moment from the first to just before the last. `limit` has a
    `period`. (There is one fewer where a timezone skipped a whole day.)
    """
    if limit.period is None:
        raise ValueError(f"{limit.meter} has no calendar window")
    return _around(limit.period, limit.timezone, now_us // (60 * SECOND_US))


@lru_cache(_CALENDARS_KEPT)
def _around(period: Period, timezone: str, minute: int) -> tuple[int, ...]:
    """No window begins within a minute: since 1972 all timezones differ by whole minutes."""
    zone, now_s = ZoneInfo(timezone), minute * 60
    length_s = _EVEN_S.get(period)
    if length_s:
        starts = _on_the_clock(length_s, zone, now_s)
    else:
        starts = _on_the_calendar(period, zone, now_s)
    return tuple(sorted({start_s * SECOND_US for start_s in starts}))


def _on_the_clock(length_s: int, zone: ZoneInfo, now_s: int) -> list[int]:
    """Wherever the clock on the wall shows a whole minute or hour."""
    present = _whole_before(length_s, zone, now_s)
    following = _whole_after(length_s, zone, present)
    return [
        _whole_before(length_s, zone, present - 1),
        present,
        following,
        _whole_after(length_s, zone, following),
    ]


def _whole_before(length_s: int, zone: ZoneInfo, at_s: int) -> int:
    while past_s := _past_whole(length_s, zone, at_s):
        at_s -= past_s
    return at_s


def _whole_after(length_s: int, zone: ZoneInfo, at_s: int) -> int:
    at_s += length_s
    while past_s := _past_whole(length_s, zone, at_s):
        at_s += length_s - past_s
    return at_s


def _past_whole(length_s: int, zone: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset() or timedelta()
    return (at_s + int(offset.total_seconds())) % length_s


def _on_the_calendar(period: Period, zone: ZoneInfo, now_s: int) -> list[int]:
    """Dates are counted without a clock; only then is each one's midnight looked up."""
    today = datetime.fromtimestamp(now_s, zone).date()
    present = _first_day(period, today)
    following = _next_first_day(period, present)
    days = [
        _first_day(period, present - timedelta(days=1)),
        present,
        following,
        _next_first_day(period, following),
    ]
    return [_midnight_s(zone, day) for day in days]


def _first_day(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def _next_first_day(period: Period, first: date) -> date:
    longest = {Period.DAY: 1, Period.WEEK: 7}.get(period, 31)
    return _first_day(period, first + timedelta(days=longest))


def _midnight_s(zone: ZoneInfo, day: date) -> int:
    """Of two midnights the first; where there is none, the moment at which the clocks skip it."""
    return int(datetime.combine(day, time(), zone).timestamp())

"""Windows begin when the operator's calendar says, through every change of the clocks."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.calendar_periods import boundaries
from gateway.policy.quota import SECOND_US, Limit, Period, Unit, WindowKind
from tests.parts.values import limit

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Antarctica/Troll",
]


def calendar(period: Period, timezone: str = "UTC") -> Limit:
    window_us = 86_400 * SECOND_US
    return Limit(
        "q",
        Unit.REQUESTS,
        WindowKind.CALENDAR,
        5,
        window_us,
        period=period,
        timezone=timezone,
    )


def at_us(local: str, timezone: str = "UTC") -> int:
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(timezone)).timestamp() * 10**6)


def starts(period: Period, timezone: str, now: str) -> list[str]:
    zone = ZoneInfo(timezone)
    found = boundaries(calendar(period, timezone), at_us(now, timezone))
    return [
        datetime.fromtimestamp(start // SECOND_US, zone).isoformat(timespec="minutes")
        for start in found
    ]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Period.MINUTE, ["2026-02-18T13:36", "2026-02-18T13:37", "2026-02-18T13:38"]),
        (Period.HOUR, ["2026-02-18T12:00", "2026-02-18T13:00", "2026-02-18T14:00"]),
        (Period.DAY, ["2026-02-17T00:00", "2026-02-18T00:00", "2026-02-19T00:00"]),
        (Period.WEEK, ["2026-02-09T00:00", "2026-02-16T00:00", "2026-02-23T00:00"]),
        (Period.MONTH, ["2026-01-01T00:00", "2026-02-01T00:00", "2026-03-01T00:00"]),
    ],
)
def test_the_last_the_present_and_the_next_are_told(period: Period, expected: list[str]) -> None:
    found = starts(period, "UTC", "2026-02-18T13:37:59.999999")
    assert [start.removesuffix("+00:00") for start in found[:3]] == expected
    assert len(found) == 4


def test_a_window_begins_with_its_first_microsecond() -> None:
    midnight = at_us("2026-02-18T00:00")
    assert boundaries(calendar(Period.DAY), midnight)[1] == midnight
    assert boundaries(calendar(Period.DAY), midnight - 1)[2] == midnight


def test_a_week_begins_on_monday_and_a_year_with_its_first_month() -> None:
    assert starts(Period.WEEK, "UTC", "2026-01-04T23:59")[1] == "2025-12-29T00:00+00:00"
    assert starts(Period.MONTH, "UTC", "2026-12-31T23:59")[2] == "2027-01-01T00:00+00:00"
    assert starts(Period.MONTH, "UTC", "2028-02-29T12:00")[1:3] == [
        "2028-02-01T00:00+00:00",
        "2028-03-01T00:00+00:00",
    ]


def hours(timezone: str, local: str) -> float:
    """How long the day is in which a moment lies."""
    _, present, following, _ = boundaries(calendar(Period.DAY, timezone), at_us(local, timezone))
    return (following - present) / (3_600 * SECOND_US)


@pytest.mark.parametrize(
    ("timezone", "local", "length"),
    [
        ("Europe/Berlin", "2026-03-29T12:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", 25),
        ("Europe/Berlin", "2026-06-01T12:00", 24),
        ("Australia/Lord_Howe", "2026-04-05T12:00", 24.5),
        ("America/Sao_Paulo", "2018-11-04T12:00", 23),
        ("America/Sao_Paulo", "2018-02-17T12:00", 25),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(timezone: str, local: str, length: float) -> None:
    assert hours(timezone, local) == length


def test_where_midnight_does_not_exist_the_day_begins_when_the_clocks_skip_it() -> None:
    found = starts(Period.DAY, "America/Sao_Paulo", "2018-11-04T12:00")
    assert found[1:3] == ["2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"]


def test_a_day_that_a_timezone_skipped_is_no_window() -> None:
    found = starts(Period.DAY, "Pacific/Apia", "2011-12-29T12:00")
    assert found == [
        "2011-12-28T00:00-10:00",
        "2011-12-29T00:00-10:00",
        "2011-12-31T00:00+14:00",
    ]


def test_an_hour_that_the_clocks_repeat_is_a_window_of_its_own() -> None:
    transition = int(datetime.fromisoformat("2026-10-25T01:00+00:00").timestamp()) * SECOND_US
    before, present, following, _ = boundaries(
        calendar(Period.HOUR, "Europe/Berlin"), transition + 1
    )
    assert (before, present, following) == (
        transition - 3_600 * SECOND_US,
        transition,
        transition + 3_600 * SECOND_US,
    )


@pytest.mark.parametrize("change", ["2026-04-04T15:00+00:00", "2026-10-03T15:30+00:00"])
def test_half_an_hour_that_the_clocks_add_or_skip_belongs_to_the_hour_before(change: str) -> None:
    transition_s = int(datetime.fromisoformat(change).timestamp())
    seen = set()
    for minute in range(-59, 90):
        now_us = (transition_s + 60 * minute) * SECOND_US
        _, present, following, _ = boundaries(calendar(Period.HOUR, "Australia/Lord_Howe"), now_us)
        seen.add((present, following))
    lengths = sorted((following - present) // (60 * SECOND_US) for present, following in seen)
    assert lengths == [60, 90]


def test_what_has_no_calendar_has_no_boundaries() -> None:
    with pytest.raises(ValueError, match="no calendar window"):
        boundaries(limit(5), 0)


@given(
    st.sampled_from(list(Period)),
    st.sampled_from(ZONES),
    st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001  the zone is below
    st.integers(0, 60 * SECOND_US - 1),
)
def test_windows_follow_each_other_without_gap_or_overlap(
    period: Period, timezone: str, around: datetime, more_us: int
) -> None:
    of = calendar(period, timezone)
    now_us = int((around - datetime(1970, 1, 1)).total_seconds()) * SECOND_US + more_us  # noqa: DTZ001
    found = boundaries(of, now_us)
    assert list(found) == sorted(set(found))
    assert len(found) in (3, 4)
    assert found[0] <= now_us < found[-1]
    for start, end in pairwise(found):
        for inside in (start, end - 1):
            told = boundaries(of, inside)
            at = told.index(start)
            assert told[at + 1] == end


@given(st.sampled_from(ZONES), st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_two_moments_share_a_day_just_if_they_share_a_date(timezone: str, first: datetime) -> None:
    zone = ZoneInfo(timezone)
    one = first.replace(tzinfo=ZoneInfo("UTC"))
    for later in (timedelta(hours=1), timedelta(hours=13), timedelta(hours=24)):
        two = one + later
        days = [
            boundaries(calendar(Period.DAY, timezone), int(moment.timestamp()) * SECOND_US)
            for moment in (one, two)
        ]
        same_window = days[0][-3] == days[1][-3] if len(days[0]) == len(days[1]) else False
        same_date = one.astimezone(zone).date() == two.astimezone(zone).date()
        assert same_window == same_date

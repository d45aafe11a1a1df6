"""Timezones by their names in the IANA database: `Europe/Berlin`, `UTC`."""

from functools import cache
from zoneinfo import available_timezones

from gateway.policy.rate import NotUnderstood
from gateway.source.wording import nearest, shown

UTC = "UTC"


def known_timezone(text: str) -> str:
    """The name, if there is such a timezone. Raises `NotUnderstood`."""
    if text in _names():
        return text
    by_city = {name.rpartition("/")[2]: name for name in sorted(_names(), reverse=True)}
    near = nearest(text, _names()) or by_city.get(nearest(text, by_city) or "")
    guess = f' Did you mean "{near}"?' if near else ""
    raise NotUnderstood(
        f"{shown(text)} is not a timezone. Write a name of the IANA database: Europe/Berlin, "
        f"America/New_York, UTC.{guess}"
    )


@cache
def _names() -> frozenset[str]:
    """Of this machine's database, or of the one that the package `tzdata` brings."""
    return frozenset(available_timezones())

"""The calendar window: what was used since the operator's midnight, or Monday, or the first.

The meter knows when its window began and how much was used in it. Which window a moment lies in it
is told: `Terms.starts_us` are the beginnings around now, as `calendar_periods` finds them, since no
script of a store knows timezones.

At most the limit in each window; so up to twice the limit in some true window of the same length.
"""

from bisect import bisect_right
from dataclasses import dataclass

from gateway.decision.meter import MOST, Difference, Terms, View


@dataclass(slots=True)
class CalendarMeter:
    start_us: int = 0
    """When the window began in which `used` was used."""
    used: int = 0

    def follow_clock(self, terms: Terms, now_us: int) -> bool:
        start_us, _ = window(terms, now_us)
        if self.start_us <= start_us:
            return False
        self.start_us = start_us
        return True

    def view(self, terms: Terms, now_us: int) -> View:
        start_us, end_us = window(terms, now_us)
        used = self.used if self.start_us == start_us else 0
        fits = used + terms.cost <= terms.capacity
        waits = end_us if terms.cost <= terms.capacity else None
        return View(
            used=used,
            fits=fits,
            fits_at_us=now_us if fits else waits,
            empty_at_us=end_us if used else now_us,
            empty_at_if_charged_us=end_us,
        )

    def charge(self, terms: Terms, holder: str, now_us: int) -> None:
        del holder
        self._add(terms.cost, terms, now_us)

    def settle(self, terms: Terms, holder: str, difference: Difference, now_us: int) -> None:
        """What was reserved in a window that is over is not given back; there is no need.

        What was used beyond the reservation is charged now.
        """
        del holder
        if difference.change > 0:
            self._add(difference.change, terms, now_us)
            return
        start_us, _ = window(terms, now_us)
        if self.start_us == start_us <= difference.reserved_at_us:
            self.used = max(0, self.used + difference.change)

    def life_us(self, terms: Terms, now_us: int) -> int:
        _, end_us = window(terms, now_us)
        return end_us - now_us

    def _add(self, units: int, terms: Terms, now_us: int) -> None:
        start_us, _ = window(terms, now_us)
        if self.start_us != start_us:
            self.start_us, self.used = start_us, 0
        self.used = min(MOST, self.used + units)


def covers(terms: Terms, now_us: int) -> bool:
    """The window of this moment is among those that were told; always true without a calendar."""
    starts = terms.starts_us
    return not starts or starts[0] <= now_us < starts[-1]


def window(terms: Terms, now_us: int) -> tuple[int, int]:
    """When the window of this moment began, and when it ends. `terms` `covers` the moment."""
    at = bisect_right(terms.starts_us, now_us)
    return terms.starts_us[at - 1], terms.starts_us[at]

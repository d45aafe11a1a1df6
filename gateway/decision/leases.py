"""What has begun and not ended: one entry per exchange, each until its deadline.

Two uses of one list. A concurrency slot is an entry that a living exchange renews; when its holder
dies it lapses. The record of a reservation is an entry that lives longer (an hour) and makes
settlement happen once: who removes it settles, whoever comes later finds nothing. There is no
counter to go up and down, so none can drift.
"""

from dataclasses import dataclass, field
from itertools import islice, takewhile

from gateway.decision.meter import Difference, Terms, View


@dataclass(slots=True)
class Leases:
    """Entries in the order of their deadlines: all of one list last equally long."""

    deadlines_us: dict[str, int] = field(default_factory=dict)

    def follow_clock(self, terms: Terms, now_us: int) -> bool:
        return self.cut(now_us + terms.span_us)

    def view(self, terms: Terms, now_us: int) -> View:
        return held_view(self.held(now_us), terms, now_us)

    def charge(self, terms: Terms, holder: str, now_us: int) -> None:
        self.hold(holder, now_us + terms.span_us, now_us)

    def settle(self, terms: Terms, holder: str, difference: Difference, now_us: int) -> None:
        del terms, difference
        self.release(holder, now_us)

    def life_us(self, terms: Terms, now_us: int) -> int:
        del now_us
        return terms.span_us

    def cut(self, latest_us: int) -> bool:
        """No entry may last longer than this; True if one would have.

        Only a clock that was set back, or a lease that an operator shortened, leaves such entries.
        """
        if not self.deadlines_us or next(reversed(self.deadlines_us.values())) <= latest_us:
            return False
        for holder, deadline_us in self.deadlines_us.items():
            self.deadlines_us[holder] = min(deadline_us, latest_us)
        return True

    def held(self, now_us: int) -> int:
        """How many have not lapsed."""
        return len(self.deadlines_us) - self._lapsed(now_us)

    def hold(self, holder: str, until_us: int, now_us: int) -> None:
        """Begin, or renew."""
        self.release(holder, now_us)
        self.deadlines_us[holder] = until_us

    def release(self, holder: str, now_us: int) -> None:
        self.drop_lapsed(now_us)
        self.deadlines_us.pop(holder, None)

    def drop_lapsed(self, now_us: int) -> None:
        first_us = next(iter(self.deadlines_us.values()), None)
        if first_us is None or first_us > now_us:
            return
        for lapsed in list(islice(self.deadlines_us, self._lapsed(now_us))):
            del self.deadlines_us[lapsed]

    def deadline_us(self, holder: str, now_us: int) -> int | None:
        """None if it is not held, or no longer."""
        deadline_us = self.deadlines_us.get(holder)
        return deadline_us if deadline_us is not None and deadline_us > now_us else None

    def _lapsed(self, now_us: int) -> int:
        return sum(1 for _ in takewhile(lambda d: d <= now_us, self.deadlines_us.values()))


def held_view(taken: int, terms: Terms, now_us: int) -> View:
    """Nobody can foresee when another exchange ends."""
    fits = taken + terms.cost <= terms.capacity
    return View(
        used=taken,
        fits=fits,
        fits_at_us=now_us if fits else None,
        empty_at_us=now_us,
        empty_at_if_charged_us=now_us,
    )

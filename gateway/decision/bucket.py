"""The token bucket: `burst` at once, refilled evenly by `limit` per window.

Two meters, since what is counted differs. A request is never given back, so its bucket needs one
moment (GCRA, ITU-T I.371). Tokens are given back when an answer ends, and a bucket that has drained
meanwhile cannot simply be lowered: the phantom would have paid for room that nobody used, and a
client that opens and cancels streams could save it up. `RefundableBucket` keeps the charges of the
last window by slice, so that the level after a settlement is the one that there would have been had
the actual been charged at once.

Both admit at most burst + limit in any true window. `limit` and `burst` are at least 1.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from gateway.decision.meter import MOST, MOST_US, SLICES, Difference, Terms, View


@dataclass(slots=True)
class PacedMeter:
    """GCRA. Its measure is time: each unit takes `span_us` to drain, rounded up."""

    drained_at_us: int = 0
    """The moment by which all that was charged has drained."""
    charged_at_us: int = 0
    """When it was charged last; a clock that reads less has been set back."""

    def follow_clock(self, terms: Terms, now_us: int) -> bool:
        del terms
        ahead_us = self.charged_at_us - now_us
        if ahead_us <= 0:
            return False
        self.drained_at_us -= ahead_us
        self.charged_at_us = now_us
        return True

    def view(self, terms: Terms, now_us: int) -> View:
        level_us = max(0, self.drained_at_us - now_us)
        over_us = level_us + terms.cost - terms.capacity
        return View(
            used=min(terms.capacity // terms.span_us, -(-level_us // terms.span_us)),
            fits=over_us <= 0,
            fits_at_us=None if terms.cost > terms.capacity else now_us + max(0, over_us),
            empty_at_us=now_us + level_us,
            empty_at_if_charged_us=now_us + level_us + terms.cost,
        )

    def charge(self, terms: Terms, holder: str, now_us: int) -> None:
        del holder
        self._add(terms.cost, now_us)

    def settle(self, terms: Terms, holder: str, difference: Difference, now_us: int) -> None:
        """Gives back no more than has certainly not drained yet."""
        del terms, holder
        if difference.change > 0:
            self._add(difference.change, now_us)
        elif not difference.clock_was_set_back:
            undrained_us = max(0, -difference.change - (now_us - difference.reserved_at_us))
            self.drained_at_us = max(now_us, self.drained_at_us - undrained_us)
            self.charged_at_us = now_us

    def life_us(self, terms: Terms, now_us: int) -> int:
        del terms
        return max(0, self.drained_at_us - now_us)

    def _add(self, added_us: int, now_us: int) -> None:
        level_us = max(0, self.drained_at_us - now_us)
        self.drained_at_us = now_us + min(MOST_US, level_us + added_us)
        self.charged_at_us = now_us


@dataclass(slots=True)
class RefundableBucket:
    """A bucket whose charges can be lowered later.

    Levels are in 64ths of a unit, since exactly `limit` of these drain in one slice. What comes in
    a slice begins to drain with the next one, and what drains in a slice counts at its end: a
    refill is late by at most two slices. What was charged longer ago than a window stands.
    """

    base: int = 0
    """The level when the first slice began."""
    level: int = 0
    """The level when the last slice began."""
    empty_by: int = 0
    """The slice by whose start all has drained. A limit that is lowered later revives nothing."""
    slices: list[int] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    """Whole units that came in each."""

    def follow_clock(self, terms: Terms, now_us: int) -> bool:
        present = now_us // terms.span_us
        if not self.slices or self.slices[-1] <= present:
            return False
        first = bisect_left(self.slices, present)
        self.level = self._level_at(terms, first)
        if self.slices[first] > present:
            # The slice that the clock crosses a second time must not drain twice.
            self.level += terms.rate
        if first == 0:
            self.base = self.level
        self.amounts[first:] = [min(MOST, sum(self.amounts[first:]))]
        self.slices[first:] = [present]
        self.empty_by = _empty_by(present, self.level, self.amounts[-1] * SLICES, terms)
        return True

    def view(self, terms: Terms, now_us: int) -> View:
        return bucket_view(*self.at(terms, now_us), self.empty_by, terms, now_us)

    def at(self, terms: Terms, now_us: int) -> tuple[int, int]:
        """What was left when the present slice began, and what has come since, in 64ths."""
        present = now_us // terms.span_us
        if not self.slices or present >= self.empty_by:
            return 0, 0
        if self.slices[-1] == present:
            return self.level, self.amounts[-1] * SLICES
        gap = present - self.slices[-1]
        return _level_after(terms, self.level, self.amounts[-1], gap), 0

    def charge(self, terms: Terms, holder: str, now_us: int) -> None:
        del holder
        self._add(terms, terms.cost, now_us)

    def settle(self, terms: Terms, holder: str, difference: Difference, now_us: int) -> None:
        """As if the actual had been charged at once; what was used beyond is charged now."""
        del holder
        present = now_us // terms.span_us
        if difference.change > 0:
            level, arrived = self.at(terms, now_us)
            room = max(0, MOST - -(-(level + arrived) // SLICES))
            self._add(terms, min(difference.change, room), now_us)
            return
        slice_ = difference.reserved_at_us // terms.span_us
        at = bisect_left(self.slices, slice_)
        if present < self.empty_by and at < len(self.slices) and self.slices[at] == slice_:
            self.amounts[at] = max(0, self.amounts[at] + difference.change)
            if at < len(self.slices) - 1:
                self.level = self._level_at(terms, len(self.slices) - 1)
            self.empty_by = _empty_by(present, *self.at(terms, now_us), terms)

    def life_us(self, terms: Terms, now_us: int) -> int:
        return max(SLICES + 1, self.empty_by - now_us // terms.span_us) * terms.span_us

    def _add(self, terms: Terms, units: int, now_us: int) -> None:
        present = now_us // terms.span_us
        level, arrived = self.at(terms, now_us)
        if self.slices and (present >= self.empty_by or present - self.slices[-1] > SLICES):
            self.slices.clear()
            self.amounts.clear()
        if not self.slices:
            self.base = level
        self.empty_by = _empty_by(present, level, arrived + units * SLICES, terms)
        if self.slices and self.slices[-1] == present:
            self.amounts[-1] += units
            return
        self.level = level
        self.slices.append(present)
        self.amounts.append(units)
        while self.slices[0] + SLICES < present:  # too old to be given back
            gap = self.slices[1] - self.slices[0]
            self.base = _level_after(terms, self.base, self.amounts[0], gap)
            del self.slices[0], self.amounts[0]

    def _level_at(self, terms: Terms, index: int) -> int:
        """The level when a slice began, from all that came before it."""
        level = self.base
        for i in range(index):
            gap = self.slices[i + 1] - self.slices[i]
            level = _level_after(terms, level, self.amounts[i], gap)
        return level


def bucket_view(level: int, arrived: int, empty_by: int, terms: Terms, now_us: int) -> View:
    """What a bucket that stands so in the present slice says about a cost."""
    present = now_us // terms.span_us
    room = terms.capacity * SLICES
    wanted = terms.cost * SLICES
    next_level = max(0, level - terms.rate) + arrived  # when the next slice begins
    fits = level + arrived + wanted <= room
    fits_at_us: int | None = now_us
    if terms.cost > terms.capacity:
        fits_at_us = None
    elif not fits:
        more = max(0, -(-(next_level + wanted - room) // terms.rate))
        fits_at_us = min(present + 1 + more, empty_by) * terms.span_us

    return View(
        used=-(-(level + arrived) // SLICES),
        fits=fits,
        fits_at_us=fits_at_us,
        empty_at_us=max(
            now_us, min(_empty_by(present, level, arrived, terms), empty_by) * terms.span_us
        ),
        empty_at_if_charged_us=_empty_by(present, level, arrived + wanted, terms) * terms.span_us,
    )


def _empty_by(present: int, level: int, arrived: int, terms: Terms) -> int:
    """The slice at whose start nothing will be left, if nothing else comes."""
    if not level + arrived:
        return present
    return present + 1 - -(max(0, level - terms.rate) + arrived) // terms.rate


def _level_after(terms: Terms, level: int, amount: int, slices: int) -> int:
    """The level so many slices after the start of one in which `amount` came."""
    next_level = max(0, level - terms.rate) + amount * SLICES
    return max(0, next_level - terms.rate * (slices - 1))

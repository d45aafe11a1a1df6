"""The sliding window: at most the limit in any true window.

A window is cut into 64 slices and an amount counts until the whole of its slice has left the
window. So what is read may be too high by what lapsed within the last 1/64 of the window, and is
never too low: for every t, what was admitted in (t - window, t] is at most the limit.

Slices are numbered from the epoch. Only what is charged or settled is written, and what has lapsed
is dropped on such occasions: a refused request changes nothing.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from gateway.decision.meter import MOST, SLICES, Difference, Terms, View


@dataclass(slots=True)
class SlidingMeter:
    total: int = 0
    slices: list[int] = field(default_factory=list)
    """Numbers of the slices that hold something, rising."""
    amounts: list[int] = field(default_factory=list)
    """Units in each; the last is never 0."""

    def follow_clock(self, terms: Terms, now_us: int) -> bool:
        present = now_us // terms.span_us
        if not self.slices or self.slices[-1] <= present:
            return False
        first = bisect_left(self.slices, present)
        self.amounts[first:] = [sum(self.amounts[first:])]
        self.slices[first:] = [present]
        self._drop_lapsed(present)
        return True

    def view(self, terms: Terms, now_us: int) -> View:
        present = now_us // terms.span_us
        lapsed, used = self._lapsed(present)
        fits = used + terms.cost <= terms.capacity
        return View(
            used,
            fits,
            now_us if fits else self._fits_at_us(terms, lapsed, used),
            _leaves_at_us(terms, self.slices[-1]) if used else now_us,
            _leaves_at_us(terms, present),
        )

    def charge(self, terms: Terms, holder: str, now_us: int) -> None:
        del holder
        self._add(terms.cost, now_us // terms.span_us)

    def settle(self, terms: Terms, holder: str, difference: Difference, now_us: int) -> None:
        """What is given back leaves the slice in which it was reserved.

        If that has lapsed there is nothing left to give. What was used beyond the reservation is
        charged now.
        """
        del holder
        present = now_us // terms.span_us
        if difference.change > 0:
            self._add(difference.change, present)
            return
        self._drop_lapsed(present)
        slice_ = difference.reserved_at_us // terms.span_us
        at = bisect_left(self.slices, slice_)
        if at < len(self.slices) and self.slices[at] == slice_:
            given_back = min(-difference.change, self.amounts[at])
            self.amounts[at] -= given_back
            self.total -= given_back
            while self.amounts and not self.amounts[-1]:
                del self.slices[-1], self.amounts[-1]

    def life_us(self, terms: Terms, now_us: int) -> int:
        del now_us
        return (SLICES + 1) * terms.span_us

    def _add(self, units: int, present: int) -> None:
        self._drop_lapsed(present)
        units = min(units, MOST - self.total)
        if self.slices and self.slices[-1] == present:
            self.amounts[-1] += units
        elif units:
            self.slices.append(present)
            self.amounts.append(units)
        self.total += units

    def _drop_lapsed(self, present: int) -> None:
        lapsed, self.total = self._lapsed(present)
        if lapsed:
            del self.slices[:lapsed], self.amounts[:lapsed]

    def _lapsed(self, present: int) -> tuple[int, int]:
        """How many slices have left the window, and the total without them."""
        if not self.slices or self.slices[0] + SLICES >= present:
            return 0, self.total
        lapsed, total = 0, self.total
        while lapsed < len(self.slices) and self.slices[lapsed] + SLICES < present:
            total -= self.amounts[lapsed]
            lapsed += 1
        return lapsed, total

    def _fits_at_us(self, terms: Terms, first: int, used: int) -> int | None:
        for slice_, amount in zip(self.slices[first:], self.amounts[first:], strict=True):
            used -= amount
            if used + terms.cost <= terms.capacity:
                return _leaves_at_us(terms, slice_)
        return None


def _leaves_at_us(terms: Terms, slice_: int) -> int:
    return (slice_ + SLICES + 1) * terms.span_us

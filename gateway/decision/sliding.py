"""The sliding window: at most the limit in any true window.

A window is cut into 64 slices and an amount counts until the whole of its slice has left the
window. So what is read may be too high by what lapsed within the last 1/64 of the window, and is
never too low: for every t, what was admitted in (t - window, t] is at most the limit. 64 because a
window in whole seconds is then a whole number of microseconds per slice.

Only additions and comparisons of whole numbers: the Lua script in `store/scripts` does the same
steps on doubles, which are exact up to 2^53.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

SLICES = 64


def slice_us(window_us: int) -> int:
    return window_us // SLICES


@dataclass(frozen=True, slots=True)
class SlidingView:
    """What a meter says about a cost; nothing is stored."""

    used: int
    fits: bool
    fits_at_us: int | None
    """When the same cost would fit if nothing else came; None: never."""
    empty_at_us: int
    """When everything counted now will have lapsed."""


@dataclass(slots=True)
class SlidingMeter:
    """The running state of one sliding limit in one partition."""

    window_us: int
    total: int = 0
    starts: list[int] = field(default_factory=list)
    """Start of each slice that holds something, rising, in microseconds."""
    amounts: list[int] = field(default_factory=list)

    def advance(self, now_us: int) -> None:
        """Forget what has left the window.

        A clock that was set back leaves slices in the future. They are moved into the present,
        so that they count for one more window instead of until the clock has caught up.
        """
        lapsed = 0
        while lapsed < len(self.starts) and self._leaves_at(self.starts[lapsed]) <= now_us:
            self.total -= self.amounts[lapsed]
            lapsed += 1
        del self.starts[:lapsed], self.amounts[:lapsed]
        present = self._slice_of(now_us)
        if self.starts and self.starts[-1] > present:
            first = bisect_left(self.starts, present)
            moved = sum(self.amounts[first:])
            self.starts[first:] = [present]
            self.amounts[first:] = [moved]

    def view(self, limit: int, cost: int, now_us: int) -> SlidingView:
        """Call `advance` first."""
        empty_at_us = self._leaves_at(self.starts[-1]) if self.starts else now_us
        if self.total + cost <= limit:
            return SlidingView(self.total, fits=True, fits_at_us=now_us, empty_at_us=empty_at_us)
        fits_at_us = None
        left = self.total
        for start, amount in zip(self.starts, self.amounts, strict=True):
            left -= amount
            if left + cost <= limit:
                fits_at_us = self._leaves_at(start)
                break
        return SlidingView(self.total, fits=False, fits_at_us=fits_at_us, empty_at_us=empty_at_us)

    def charge(self, amount: int, now_us: int) -> None:
        """Call `advance` first."""
        present = self._slice_of(now_us)
        if self.starts and self.starts[-1] == present:
            self.amounts[-1] += amount
        else:
            self.starts.append(present)
            self.amounts.append(amount)
        self.total += amount

    def settle(self, reserved: int, actual: int, reserved_at_us: int, now_us: int) -> None:
        """Put the actual in the place of the reserved.

        What is given back leaves the slice in which it was reserved; if that slice has lapsed there
        is nothing left to give. What was used beyond the reservation is charged now.
        """
        self.advance(now_us)
        if actual > reserved:
            self.charge(actual - reserved, now_us)
            return
        start = self._slice_of(reserved_at_us)
        at = bisect_left(self.starts, start)
        if at < len(self.starts) and self.starts[at] == start:
            given_back = min(reserved - actual, self.amounts[at])
            self.amounts[at] -= given_back
            self.total -= given_back
            if not self.amounts[at]:
                del self.starts[at], self.amounts[at]

    def _slice_of(self, at_us: int) -> int:
        return at_us - at_us % slice_us(self.window_us)

    def _leaves_at(self, start_us: int) -> int:
        return start_us + slice_us(self.window_us) + self.window_us

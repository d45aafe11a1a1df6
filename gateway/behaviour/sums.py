"""Sums over a window that slides: over a duration, or over a number of exchanges.

A window is eight slices; the oldest goes when a new one begins. So a reading covers the last window
and never more than it, and an eighth less of it at worst.
"""

from gateway.policy.behaviour import Over, WindowUnit

SLICES = 8


class Sums:
    """How many exchanges there were, and the sum of a value over them."""

    __slots__ = ("_counts", "_current", "_length", "_time", "_totals")

    def __init__(self, over: Over) -> None:
        self._time = over.unit is WindowUnit.TIME
        self._length = max(1, over.amount // SLICES)
        self._current = 0
        """Number of the newest slice, of all there ever were."""
        self._counts = [0] * SLICES
        self._totals = [0.0] * SLICES

    def add(self, at_us: int, value: float) -> None:
        if self._time:
            self._move_to(at_us // self._length)
        elif self._counts[self._current % SLICES] >= self._length:
            self._move_to(self._current + 1)
        at = self._current % SLICES
        self._counts[at] += 1
        self._totals[at] += value

    def _move_to(self, slice_number: int) -> None:
        """Time never runs back: what comes late is counted as of now."""
        if slice_number <= self._current:
            return
        for number in range(max(self._current + 1, slice_number - SLICES + 1), slice_number + 1):
            self._counts[number % SLICES] = 0
            self._totals[number % SLICES] = 0.0
        self._current = slice_number

    def read(self, at_us: int) -> tuple[int, float]:
        """Exchanges in the window, and their sum."""
        if self._time:
            self._move_to(at_us // self._length)
        return sum(self._counts), sum(self._totals)

    def surge(self, at_us: int) -> float:
        """The pace of the newest slice over the mean pace; of a quiet group 0."""
        count, _ = self.read(at_us)
        return self._counts[self._current % SLICES] * SLICES / count if count else 0.0

    def state(self) -> list[object]:
        return [self._current, self._counts, self._totals]

    def restore(self, state: list[object]) -> None:
        current, counts, totals = state
        if isinstance(current, int) and isinstance(counts, list) and isinstance(totals, list):
            self._current, self._counts, self._totals = current, list(counts), list(totals)


class Gaps:
    """How regularly exchanges come: mean and variance of the gaps, newer ones counting more."""

    __slots__ = ("count", "last_us", "mean_s", "square_s")

    MEMORY = 64
    """Gaps; older ones fade."""

    def __init__(self) -> None:
        self.last_us = 0
        self.count = 0
        self.mean_s = 0.0
        self.square_s = 0.0

    def see(self, at_us: int) -> None:
        if self.last_us:
            gap_s = max(0, at_us - self.last_us) / 1_000_000
            self.count = min(self.count + 1, self.MEMORY)
            self.mean_s += (gap_s - self.mean_s) / self.count
            self.square_s += (gap_s * gap_s - self.square_s) / self.count
        self.last_us = at_us

    def regularity(self) -> float:
        """1 / (1 + CV2); 0 while fewer than eight gaps are known."""
        if self.count < 8 or self.mean_s <= 0:  # noqa: PLR2004  too few to tell
            return 0.0
        variance = max(0.0, self.square_s - self.mean_s * self.mean_s)
        return 1.0 / (1.0 + variance / (self.mean_s * self.mean_s))

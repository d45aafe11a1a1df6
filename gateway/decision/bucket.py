"""The token bucket: `burst` at once, refilled evenly by `limit` per window.

Two meters, since what is counted differs. A request is never given back, so its bucket needs one
number (GCRA, ITU-T I.371). Tokens are given back when an answer ends, and a bucket that has drained
meanwhile cannot simply be lowered: the phantom would have paid for room that nobody used, and a
client that opens and cancels streams could save it up. `RefundableBucket` keeps the charges of the
last window by slice and folds them anew, so that the level after a settlement is the one that there
would have been had the actual been charged at once.

Both admit at most burst + limit in any true window.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from gateway.decision.sliding import SLICES, slice_us


@dataclass(frozen=True, slots=True)
class BucketView:
    """What a bucket says about a cost; nothing is stored."""

    used: int
    """Units in the bucket, rounded up."""
    fits: bool
    fits_at_us: int | None
    empty_at_us: int


@dataclass(slots=True)
class RequestBucket:
    """GCRA. Its whole state is the moment by which all that was charged has drained."""

    drained_at_us: int = 0

    def view(self, limit: int, burst: int, window_us: int, cost: int, now_us: int) -> BucketView:
        tolerance_us = burst * window_us // limit
        added_us = drain_us(limit, window_us, cost)
        level_us = max(0, self.drained_at_us - now_us)
        fits = level_us + added_us <= tolerance_us
        never = added_us > tolerance_us
        return BucketView(
            used=min(burst, -(-level_us * limit // window_us)),
            fits=fits,
            fits_at_us=None if never else now_us + max(0, level_us + added_us - tolerance_us),
            empty_at_us=now_us + level_us,
        )

    def charge(self, added_us: int, now_us: int) -> None:
        self.drained_at_us = max(self.drained_at_us, now_us) + added_us

    def give_back(self, added_us: int, reserved_at_us: int, now_us: int) -> None:
        """Undo a charge that came to nothing, less what may have drained since."""
        undrained_us = max(0, added_us - (now_us - reserved_at_us))
        self.drained_at_us = max(now_us, self.drained_at_us - undrained_us)


def drain_us(limit: int, window_us: int, cost: int) -> int:
    """How long `cost` takes to drain; rounded up, so that no charge is free."""
    return -(-cost * window_us // limit)


@dataclass(slots=True)
class RefundableBucket:
    """A bucket whose charges can be lowered later.

    Levels are in 64ths of a unit, since exactly `limit` of these drain in one slice. What comes in
    a slice begins to drain with the next one, so a refill is late by at most one slice.
    """

    window_us: int
    base_at_us: int = 0
    """Start of the slice to which the charges before it have been folded."""
    base_level: int = 0
    starts: list[int] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    """Whole units per slice."""

    def advance(self, limit: int, now_us: int) -> None:
        """Fold what is older than a window; it can no longer be given back."""
        present = self._slice_of(now_us)
        while self.starts and self.starts[0] < present - self.window_us:
            start, amount = self.starts.pop(0), self.amounts.pop(0)
            self.base_level = self._after(limit, self.base_level, self.base_at_us, start, amount)
            self.base_at_us = start + slice_us(self.window_us)
        self.base_at_us = min(self.base_at_us, present)  # the clock was set back
        if self.starts and self.starts[-1] > present:
            first = bisect_left(self.starts, present)
            moved = sum(self.amounts[first:])
            self.starts[first:] = [present]
            self.amounts[first:] = [moved]

    def level(self, limit: int, now_us: int) -> tuple[int, int]:
        """What was left when the present slice began, and what has come since, in 64ths.

        Call `advance` first.
        """
        present = self._slice_of(now_us)
        at_us, level = self.base_at_us, self.base_level
        for start, amount in zip(self.starts, self.amounts, strict=True):
            if start == present:
                return self._drained(limit, level, at_us, present), amount * SLICES
            level = self._after(limit, level, at_us, start, amount)
            at_us = start + slice_us(self.window_us)
        return self._drained(limit, level, at_us, present), 0

    def charge(self, amount: int, now_us: int) -> None:
        """Call `advance` first."""
        present = self._slice_of(now_us)
        if self.starts and self.starts[-1] == present:
            self.amounts[-1] += amount
        else:
            self.starts.append(present)
            self.amounts.append(amount)

    def settle(
        self, limit: int, reserved: int, actual: int, reserved_at_us: int, now_us: int
    ) -> None:
        """Put the actual in the place of the reserved, as if it had been charged at once."""
        self.advance(limit, now_us)
        if actual > reserved:
            self.charge(actual - reserved, now_us)
            return
        start = self._slice_of(reserved_at_us)
        at = bisect_left(self.starts, start)
        if at < len(self.starts) and self.starts[at] == start:
            self.amounts[at] = max(0, self.amounts[at] - (reserved - actual))

    def _after(self, limit: int, level: int, at_us: int, start: int, amount: int) -> int:
        """The level when the slice after `start` begins, from the level at `at_us`."""
        return max(0, self._drained(limit, level, at_us, start) - limit) + amount * SLICES

    def _drained(self, limit: int, level: int, from_us: int, to_us: int) -> int:
        return max(0, level - limit * ((to_us - from_us) // slice_us(self.window_us)))

    def _slice_of(self, at_us: int) -> int:
        return at_us - at_us % slice_us(self.window_us)


def refundable_view(
    level: int, arrived: int, *, limit: int, burst: int, window_us: int, cost: int, now_us: int
) -> BucketView:
    """What a `RefundableBucket` at this level says about a cost."""
    slice_ = slice_us(window_us)
    present = now_us - now_us % slice_
    room = burst * SLICES
    wanted = cost * SLICES
    fits = level + arrived + wanted <= room
    next_level = max(0, level - limit) + arrived  # when the next slice begins
    fits_at_us: int | None = now_us
    if cost > burst:
        fits_at_us = None
    elif not fits:
        more = max(0, -(-(next_level + wanted - room) // limit))
        fits_at_us = present + (1 + more) * slice_
    return BucketView(
        used=-(-(level + arrived) // SLICES),
        fits=fits,
        fits_at_us=fits_at_us,
        empty_at_us=present + (1 + -(-next_level // limit)) * slice_ if level + arrived else now_us,
    )

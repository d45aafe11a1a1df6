"""What all meters have in common: the terms of a charge, and what a meter says about it.

A meter is the running state of one limit in one partition. There are five: `sliding.SlidingMeter`,
`bucket.PacedMeter`, `bucket.RefundableBucket`, `calendar_meter.CalendarMeter` and `leases.Leases`.
The memory store keeps them as they are; the Redis store keeps the same state packed and does the
same steps in Lua (`store/scripts`). Lua's numbers are doubles, exact up to 2^53: hence `MOST`.

A clock can be set back, by hand or by a failover. What a meter had counted then lies in the future.
`follow_clock` moves it into the present, so that it counts for one more window and not until the
clock has caught up.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.values import made_often

SLICES = 64
"""In how many slices a window is cut: a window in whole seconds is then a whole number of
microseconds per slice."""

MOST = 2**46
"""The most units that a meter counts (7 * 10^13). An upstream that reports an absurd usage fills a
meter to this and no further."""

MOST_US = 2**51
"""The longest that a paced meter can be full: 71 years."""


class Kind(StrEnum):
    """Which meter keeps the state; one letter, as the scripts have it."""

    SLIDING = "s"
    PACED = "p"
    BUCKET = "b"
    CALENDAR = "c"
    HELD = "h"


@made_often
@dataclass(frozen=True, slots=True)
class Terms:
    """A charge in the numbers of its meter."""

    kind: Kind
    units: int
    """Of the quota's unit, as the plan reserves them."""
    cost: int
    """In the meter's own measure: units, or microseconds for what is paced. Never more than
    `capacity` + 1, which is refused as surely as anything above."""
    capacity: int
    """The most that the meter may hold, in the same measure."""
    span_us: int
    """A slice of the window; for what is paced the time of one unit; for what is held its lease."""
    rate: int = 0
    """Only for buckets: how many 64ths of a unit drain in a slice."""
    starts_us: tuple[int, ...] = ()
    """Only for calendars: when the windows around now begin, rising."""


@made_often
@dataclass(frozen=True, slots=True)
class View:
    """What a meter says about a cost; nothing is stored."""

    used: int
    """Units counted without the charge."""
    fits: bool
    fits_at_us: int | None
    """When the same cost would fit if nothing else came; None: never, or nobody can know."""
    empty_at_us: int
    """When nothing would be left of what is counted now."""
    empty_at_if_charged_us: int
    """The same with the charge."""


@made_often
@dataclass(frozen=True, slots=True)
class Difference:
    """What a settlement changes: the actual less the reserved."""

    change: int
    """In the meter's own measure, as `Terms.cost`; below zero: given back."""
    reserved_at_us: int
    """By the meter's clock as it runs now; earlier than it was if the clock was set back."""
    clock_was_set_back: bool = False


class Meter(Protocol):
    """State and steps of one limit in one partition."""

    def follow_clock(self, terms: Terms, now_us: int) -> bool:
        """Move what lies in the future into the present. True if there was something."""
        ...

    def view(self, terms: Terms, now_us: int) -> View:
        """Changes nothing. Call `follow_clock` first."""
        ...

    def charge(self, terms: Terms, holder: str, now_us: int) -> None:
        """Call `follow_clock` first."""
        ...

    def settle(self, terms: Terms, holder: str, difference: Difference, now_us: int) -> None:
        """Put the actual in the place of the reserved. Call `follow_clock` first."""
        ...

    def life_us(self, terms: Terms, now_us: int) -> int:
        """How long after now the state can still matter."""
        ...

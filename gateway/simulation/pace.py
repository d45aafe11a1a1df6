"""When somebody asks: arrival times of one account, in order.

The curve of the day is a damped double hump, as public traces of model APIs show it; at night about
a third of the peak is left.
"""

import math
import random
from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate

from gateway.simulation.draft import DAY_S, Span

_SLOTS = 96
_LARGE = 30.0
"""From here on a Poisson number is drawn as a normal one."""


def _curve(slot: int) -> float:
    hour = 24 * slot / _SLOTS
    morning = math.exp(-(((hour - 10.5) / 3) ** 2))
    evening = math.exp(-(((hour - 16.5) / 4) ** 2))
    return 0.35 + morning + evening


_CUMULATED = tuple(accumulate(_curve(slot) for slot in range(_SLOTS)))

Pace = Callable[[Span], Iterator[float]]
"""Seconds since the epoch, ascending."""


def moment_of_day(draw: random.Random, zone_h: float = 0.0) -> float:
    """Seconds after midnight, on the curve of the day in a zone."""
    slot = bisect(_CUMULATED, draw.random() * _CUMULATED[-1])
    return ((slot + draw.random()) * DAY_S / _SLOTS - zone_h * 3_600) % DAY_S


def count(draw: random.Random, mean: float) -> int:
    """Poisson."""
    if mean >= _LARGE:
        return max(0, round(draw.gauss(mean, math.sqrt(mean))))
    left, number = math.exp(-mean), 0
    product = draw.random()
    while product > left:
        number += 1
        product *= draw.random()
    return number


def even(per_day: float, phase: float) -> Pace:
    """As a scheduler does: at equal distances, `phase` (0 to 1) of one later than it could."""
    gap_s = DAY_S / per_day

    def times(span: Span) -> Iterator[float]:
        at_s = span.begin_s + gap_s * phase
        while at_s < span.end_s:
            yield at_s
            at_s += gap_s

    return times


def jittered(draw: random.Random, per_day: float, phase: float, jitter: float = 0.4) -> Pace:
    """Even, with each request later by up to `jitter` of a gap."""
    gap_s = DAY_S / per_day

    def times(span: Span) -> Iterator[float]:
        for at_s in even(per_day, phase)(Span(span.begin_s, span.end_s - gap_s * jitter)):
            yield at_s + gap_s * jitter * draw.random()

    return times


def by_day(draw: random.Random, per_day: float, zone_h: float = 0.0, *, flat: bool = False) -> Pace:
    """So many a day in the mean, on the curve of the day or spread evenly over it."""

    def times(span: Span) -> Iterator[float]:
        midnight_s = span.begin_s - span.begin_s % DAY_S
        while midnight_s < span.end_s:
            number = count(draw, per_day)
            moments = [
                midnight_s + (draw.random() * DAY_S if flat else moment_of_day(draw, zone_h))
                for _ in range(number)
            ]
            moments.sort()
            yield from (at_s for at_s in moments if span.begin_s <= at_s < span.end_s)
            midnight_s += DAY_S

    return times


def bursts(draw: random.Random, per_day: float, zone_h: float = 0.0, gap_s: float = 4.0) -> Pace:
    """As a job does: once a day at its hour, one request after the other."""
    hour_s = moment_of_day(draw, zone_h)

    def times(span: Span) -> Iterator[float]:
        midnight_s = span.begin_s - span.begin_s % DAY_S
        last_s = 0.0
        while midnight_s < span.end_s:
            at_s = max(midnight_s + hour_s + draw.gauss(0, 300), last_s)
            for _ in range(count(draw, per_day)):
                at_s += draw.expovariate(1 / gap_s)
                if span.begin_s <= at_s < span.end_s:
                    yield at_s
            last_s = at_s
            midnight_s += DAY_S

    return times


def steady(draw: random.Random, gap_s: float, most: int) -> Pace:
    """At once and without pause until `most` were sent: what one fast client does."""

    def times(span: Span) -> Iterator[float]:
        at_s = span.begin_s
        for _ in range(most):
            if at_s >= span.end_s:
                return
            yield at_s
            at_s += gap_s * draw.lognormvariate(0, 0.3)

    return times


def zipf(accounts: int, mean: float, exponent: float = 1.1) -> list[float]:
    """What each of so many accounts sends if the first sends most: their mean is `mean`."""
    weights = [1 / (rank + 1) ** exponent for rank in range(accounts)]
    scale = mean * accounts / sum(weights)
    return [scale * weight for weight in weights]

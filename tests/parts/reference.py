"""A log of truth: what was charged when, in full, and what follows from it for the next request.

It shares no arithmetic with the stores: it keeps every charge with its moment and adds up. Moments
are real time, which never runs backwards; a clock that is set back is a matter of the stores.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from gateway.decision.plan import Charge, Partition
from gateway.decision.port import RECORD_US, Reading, Reservation, Reserved, SettledCharge
from gateway.policy.quota import SECOND_US, Limit, Period, Unit, WindowKind

SLICES = 64

MeterId = tuple[Partition, str]


@dataclass
class Entry:
    at_us: int
    units: int
    reservation_id: str


@dataclass
class Reference:
    real_us: int = 0
    epoch_us: int = 0
    """What the stores' clock showed at 0, for what goes by the calendar."""
    clock_was_set_back: bool = False
    """From then on the stores may count too much for a while, and never too little."""
    log: dict[MeterId, list[Entry]] = field(default_factory=dict)
    slots: dict[MeterId, dict[str, int]] = field(default_factory=dict)
    """Until when each is held."""
    open: dict[str, int] = field(default_factory=dict)
    """Until when each reservation can be settled."""
    widest: dict[MeterId, int] = field(default_factory=dict)
    """The greatest burst + limit that a bucket had."""
    inexact: set[MeterId] = field(default_factory=set)
    """Buckets whose limit was changed, or which got a refund later than a window."""
    amounts: dict[MeterId, int] = field(default_factory=dict)

    def reserved(
        self, reservation_id: str, charges: Sequence[Charge], reserved: Reserved
    ) -> tuple[Charge, ...]:
        """Check what a store says of a reservation, and log it. Returns what was charged."""
        fits = [r.fits for r in reserved.readings]
        enforced = [f for c, f in zip(charges, fits, strict=True) if not c.shadow]
        assert reserved.admitted == all(enforced)
        shadows = {
            c.limit.quota_id for c, f in zip(charges, fits, strict=True) if c.shadow and not f
        }
        for charge, reading in zip(charges, reserved.readings, strict=True):
            would = not charge.shadow or charge.limit.quota_id not in shadows
            assert reading.charged == (reserved.admitted and would)
            self._check(charge, reading)
        made = tuple(c for c, r in zip(charges, reserved.readings, strict=True) if r.charged)
        for charge in made:
            self._charge(charge, reservation_id)
        if made:
            self.open[reservation_id] = self.real_us + RECORD_US
        return made

    def settled(self, of: Reservation, settled: Sequence[SettledCharge], applied: bool) -> None:
        was_open = self.open.pop(of.id, 0) > self.real_us
        if not self.clock_was_set_back:
            assert applied == was_open
        if not applied:
            return
        for one in settled:
            meter = _id(one.charge)
            if one.charge.limit.unit is Unit.CONCURRENT:
                self.slots[meter].pop(of.id, None)
                continue
            more = max(0, one.actual) - one.charge.amount
            if more > 0 and was_open:  # else, after a set-back, only some partitions may know it
                self.log[meter].append(Entry(self.real_us, more, of.id))
            if more < 0:
                entry = next(e for e in self.log[meter] if e.reservation_id == of.id)
                if entry.at_us <= self.real_us - one.charge.limit.window_us:
                    self.inexact.add(meter)
                entry.units += more

    def renewed(self, of: Reservation) -> None:
        if self.open.get(of.id, 0) <= self.real_us:
            return
        if (self.open[of.id] - self.real_us) * 2 < RECORD_US:
            self.open[of.id] = self.real_us + RECORD_US
        for charge in of.charges:
            if charge.limit.unit is Unit.CONCURRENT:
                self.slots[_id(charge)][of.id] = self.real_us + charge.limit.lease_us

    def still_open(self) -> int:
        return sum(until > self.real_us for until in self.open.values())

    def _charge(self, charge: Charge, reservation_id: str) -> None:
        meter = _id(charge)
        if charge.limit.unit is Unit.CONCURRENT:
            until = self.real_us + charge.limit.lease_us
            self.slots.setdefault(meter, {})[reservation_id] = until
            return
        entry = Entry(self.real_us, charge.amount, reservation_id)
        self.log.setdefault(meter, []).append(entry)

    def _check(self, charge: Charge, reading: Reading) -> None:
        limit, meter = charge.limit, _id(charge)
        used = reading.used - (charge.amount if reading.charged else 0)
        if limit.kind is WindowKind.IN_FLIGHT:
            self._check_slots(charge, reading, used)
            return
        entries = self.log.get(meter, [])
        if limit.kind is WindowKind.CALENDAR:
            self._check_calendar(charge, reading, used, entries)
            return
        in_window = sum(e.units for e in entries if e.at_us > self.real_us - limit.window_us)
        if limit.kind is WindowKind.SLIDING:
            slice_us = limit.window_us // SLICES
            earliest = self.real_us - limit.window_us - slice_us
            at_most = sum(e.units for e in entries if e.at_us > earliest)
            assert in_window <= used
            assert used <= at_most or self.clock_was_set_back
            assert reading.fits == (used + charge.amount <= limit.amount)
            return
        if self.amounts.setdefault(meter, limit.amount) != limit.amount:
            self.inexact.add(meter)
        self.widest[meter] = max(self.widest.get(meter, 0), limit.burst + limit.amount)
        if reading.charged:
            assert in_window + charge.amount <= self.widest[meter]
        if meter in self.inexact or self.clock_was_set_back:
            return
        if limit.unit is Unit.REQUESTS:
            unit_us = -(-limit.window_us // limit.amount)
            level_us = self._level(entries, Fraction(1), unit_us)
            assert reading.fits == (level_us + charge.amount * unit_us <= limit.burst * unit_us)
            assert used == -(-level_us // unit_us)
        else:
            level = self._level(entries, Fraction(limit.amount, limit.window_us), 1)
            assert level <= used < level + Fraction(2 * limit.amount, SLICES) + 1
            if level + charge.amount > limit.burst:
                assert not reading.fits
            if level + charge.amount + Fraction(2 * limit.amount, SLICES) <= limit.burst:
                assert reading.fits

    def _level(self, entries: list[Entry], per_us: Fraction, each: int) -> Fraction:
        """What is in a bucket that drains evenly."""
        level, at_us = Fraction(0), 0
        for entry in entries:
            level = max(Fraction(0), level - per_us * (entry.at_us - at_us)) + entry.units * each
            at_us = entry.at_us
        return max(Fraction(0), level - per_us * (self.real_us - at_us))

    def _check_calendar(
        self, charge: Charge, reading: Reading, used: int, entries: list[Entry]
    ) -> None:
        limit = charge.limit
        assert reading.fits == (used + charge.amount <= limit.amount)
        if not self.clock_was_set_back:
            here = self._shown(limit, self.real_us)
            assert used == sum(e.units for e in entries if self._shown(limit, e.at_us) == here)

    def _shown(self, limit: Limit, real_us: int) -> object:
        """What tells one window from another on a calendar and a clock on the operator's wall."""
        at = datetime.fromtimestamp(
            (self.epoch_us + real_us) // SECOND_US, ZoneInfo(limit.timezone)
        )
        match limit.period:
            case Period.MONTH:
                return at.year, at.month
            case Period.WEEK:
                return at.isocalendar()[:2]
            case Period.DAY:
                return at.date()
            case Period.HOUR:
                return at.date(), at.hour, at.utcoffset()
        return at.date(), at.hour, at.minute, at.utcoffset()

    def _check_slots(self, charge: Charge, reading: Reading, used: int) -> None:
        held = self.slots.get(_id(charge), {}).values()
        living = sum(until > self.real_us for until in held)
        assert used == living or (self.clock_was_set_back and used > living)
        assert reading.fits == (used + 1 <= charge.limit.amount)


def _id(charge: Charge) -> MeterId:
    return charge.partition, charge.limit.meter


def changed(limit: Limit, amount: int) -> Limit:
    """The same meter with another amount."""
    return replace(limit, amount=amount, burst=max(1, amount * limit.burst // limit.amount))

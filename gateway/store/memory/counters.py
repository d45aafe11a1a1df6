"""The store in memory: the meters of `gateway.decision` as they are.

Nothing here awaits, so each call is one step. What has lapsed is found by looking at two partitions
for each that a reservation charges: no timer, and no more partitions than were charged lately.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.decision.bucket import PacedMeter, RefundableBucket
from gateway.decision.calendar_meter import CalendarMeter
from gateway.decision.leases import Leases
from gateway.decision.measured import change, difference, reading, terms
from gateway.decision.meter import MOST_US, Kind, Meter, Terms, View
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import RECORD_US, Reservation, Reserved, SettledCharge
from gateway.decision.sliding import SlidingMeter

GRACE_US = 60_000_000
"""A partition outlives its last meter by this, in case the clock is set back."""

_METERS: dict[Kind, Callable[[], Meter]] = {
    Kind.SLIDING: SlidingMeter,
    Kind.PACED: PacedMeter,
    Kind.BUCKET: RefundableBucket,
    Kind.CALENDAR: CalendarMeter,
    Kind.HELD: Leases,
}


@dataclass(slots=True)
class _Cell:
    """One partition."""

    meters: dict[str, Meter] = field(default_factory=dict)
    records: Leases = field(default_factory=Leases)
    """What is unsettled."""
    longest_us: int = 0
    """How long its meters can matter after they were last written."""
    lapses_at_us: int = 0

    def meter(self, charge: Charge, terms: Terms) -> Meter:
        """The running state, or one that was never charged; `keep` makes it part of the cell."""
        return self.meters.get(charge.limit.meter) or _METERS[terms.kind]()

    def keep(self, charge: Charge, meter: Meter, terms: Terms, now_us: int) -> None:
        self.meters[charge.limit.meter] = meter
        self.longest_us = min(MOST_US, max(self.longest_us, meter.life_us(terms, now_us)))

    def live_on(self, now_us: int) -> None:
        record_us = RECORD_US if self.records.deadlines_us else 0
        self.lapses_at_us = now_us + max(self.longest_us, record_us) + GRACE_US


@dataclass(slots=True)
class _Judged:
    """A charge with its meter, and what that says."""

    charge: Charge
    terms: Terms
    cell: _Cell
    meter: Meter
    view: View


class MemoryStore:
    """`clock` gives microseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._cells: dict[Partition, _Cell] = {}
        self._inspected: deque[Partition] = deque()

    def __len__(self) -> int:
        """How many partitions are kept."""
        return len(self._cells)

    async def reserve(self, reservation_id: str, charges: tuple[Charge, ...]) -> Reserved:
        now_us = self._clock()
        touched = {c.partition: self._cells.get(c.partition) or _Cell() for c in charges}
        for cell in touched.values():
            cell.records.cut(now_us + RECORD_US)
        judged = [self._judge(charge, touched[charge.partition], now_us) for charge in charges]
        refused = {_group(j.charge) for j in judged if not j.view.fits}
        admitted = "" not in refused
        readings = []
        for j in judged:
            made = admitted and _group(j.charge) not in refused
            readings.append(reading(j.view, j.terms, now_us, charged=made))
            if made:
                j.meter.charge(j.terms, reservation_id, now_us)
                j.cell.keep(j.charge, j.meter, j.terms, now_us)
                j.cell.records.hold(reservation_id, now_us + RECORD_US, now_us)
                self._keep(j.charge.partition, j.cell, now_us)
        return Reserved(admitted, now_us, tuple(readings))

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> bool:
        now_us = self._clock()
        open_cells: dict[Partition, tuple[_Cell, int]] = {}
        for partition in {s.charge.partition for s in settled}:
            cell = self._cells.get(partition)
            until_us = cell.records.deadline_us(reservation.id, now_us) if cell else None
            if cell and until_us is not None:
                open_cells[partition] = cell, until_us
                cell.records.cut(now_us + RECORD_US)
                cell.records.release(reservation.id, now_us)
        for one in settled:
            if one.charge.partition in open_cells:
                cell, until_us = open_cells[one.charge.partition]
                _settle_one(cell, reservation, one, until_us, now_us)
        for cell, _ in open_cells.values():
            cell.live_on(now_us)
        return bool(open_cells)

    async def renew(self, reservation: Reservation) -> None:
        now_us = self._clock()
        open_cells: dict[Partition, _Cell] = {}
        for partition in {c.partition for c in reservation.charges}:
            cell = self._cells.get(partition)
            until_us = cell.records.deadline_us(reservation.id, now_us) if cell else None
            if cell and until_us is not None:
                open_cells[partition] = cell
                cell.records.cut(now_us + RECORD_US)
                cell.records.drop_lapsed(now_us)
                if (until_us - now_us) * 2 < RECORD_US:
                    cell.records.hold(reservation.id, now_us + RECORD_US, now_us)
        for charge in reservation.charges:
            held = terms(charge)
            if held.kind is Kind.HELD and charge.partition in open_cells:
                cell = open_cells[charge.partition]
                meter = cell.meter(charge, held)
                meter.follow_clock(held, now_us)
                meter.charge(held, reservation.id, now_us)
                cell.keep(charge, meter, held, now_us)
        for cell in open_cells.values():
            cell.live_on(now_us)

    async def open_reservations(self) -> int:
        now_us = self._clock()
        return len(
            {
                holder
                for cell in self._cells.values()
                for holder in cell.records.deadlines_us
                if cell.records.deadline_us(holder, now_us) is not None
            }
        )

    async def ping(self) -> None:
        return

    async def aclose(self) -> None:
        return

    def _judge(self, charge: Charge, cell: _Cell, now_us: int) -> _Judged:
        in_numbers = terms(charge, now_us)
        meter = cell.meter(charge, in_numbers)
        meter.follow_clock(in_numbers, now_us)
        return _Judged(charge, in_numbers, cell, meter, meter.view(in_numbers, now_us))

    def _keep(self, partition: Partition, cell: _Cell, now_us: int) -> None:
        if partition not in self._cells:
            self._cells[partition] = cell
            self._inspected.append(partition)
        cell.live_on(now_us)
        for _ in range(min(2, len(self._inspected))):
            seen = self._inspected.popleft()
            if self._cells[seen].lapses_at_us <= now_us:
                del self._cells[seen]
            else:
                self._inspected.append(seen)


def _group(charge: Charge) -> str:
    """A shadow quota's limits are judged together; everything enforced is one group."""
    return charge.limit.quota_id if charge.shadow else ""


def _settle_one(
    cell: _Cell, reservation: Reservation, settled: SettledCharge, until_us: int, now_us: int
) -> None:
    in_numbers = terms(settled.charge, now_us)
    changed = change(settled, in_numbers)
    if not changed and in_numbers.kind is not Kind.HELD:
        return
    meter = cell.meter(settled.charge, in_numbers)
    meter.follow_clock(in_numbers, now_us)
    changed_by = difference(changed, reservation.at_us, until_us, now_us)
    meter.settle(in_numbers, reservation.id, changed_by, now_us)
    cell.keep(settled.charge, meter, in_numbers, now_us)

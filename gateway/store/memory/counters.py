"""The store in memory: the meters of `gateway.decision` as they are.

Nothing here awaits, so each call is one step. What has lapsed is found by looking at two partitions
for each that a reservation charges: no timer, and no more partitions than were charged lately.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from gateway.decision.bucket import PacedMeter, RefundableBucket
from gateway.decision.calendar_meter import CalendarMeter
from gateway.decision.hand import ACCOUNT, UNTOUCHED, Hand
from gateway.decision.leases import Leases
from gateway.decision.measured import change, difference, reading, terms
from gateway.decision.meter import MOST_US, Kind, Meter, Terms, View
from gateway.decision.plan import Charge
from gateway.decision.port import RECORD_US, Reservation, Reserved, SettledCharge
from gateway.decision.sliding import SlidingMeter
from gateway.policy.quota import WindowKind

Parts = tuple[tuple[str, str], ...]
"""`Partition.parts`, by which partitions are kept: a tuple is hashed faster than a dataclass."""

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

    parts: Parts = ()
    meters: dict[str, Meter] = field(default_factory=dict)
    records: Leases = field(default_factory=Leases)
    """What is unsettled."""
    longest_us: int = 0
    """How long its meters can matter after they were last written."""
    lapses_at_us: int = 0
    """0: it is not kept."""

    def meter(self, charge: Charge, terms: Terms) -> Meter:
        """The running state, or one that was never charged; `keep` makes it part of the cell."""
        return self.meters.get(charge.limit.meter) or _METERS[terms.kind]()

    def keep(self, charge: Charge, meter: Meter, terms: Terms, now_us: int) -> None:
        self.meters[charge.limit.meter] = meter
        life_us = meter.life_us(terms, now_us)
        if life_us > self.longest_us:
            self.longest_us = min(MOST_US, life_us)

    def live_on(self, now_us: int) -> None:
        us = self.longest_us
        if us < RECORD_US and self.records.deadlines_us:
            us = RECORD_US
        self.lapses_at_us = now_us + us + GRACE_US


_Judged = tuple[Charge, Terms, _Cell, Meter, View]
"""A charge with its meter, and what that says."""


class MemoryStore:
    """`clock` gives microseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._cells: dict[Parts, _Cell] = {}
        self._hands: dict[str, Hand] = {}
        self._inspected: deque[_Cell] = deque()
        self._latest_us = 0
        """Nothing is kept that came later: only a clock that reads less has been set back."""

    def __len__(self) -> int:
        """How many partitions are kept."""
        return len(self._cells)

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        now_us = self._clock()
        hand = self._hand(account, now_us) if self._hands else UNTOUCHED
        charges = hand.on(charges)
        if hand.ban:
            return self._looked_at(charges, hand, now_us)
        set_back = self._is_set_back(now_us)
        touched: dict[Parts, _Cell] = {}
        judged: list[_Judged] = []
        refused: set[str] = set()
        for charge in charges:
            parts = charge.partition.parts
            cell = touched.get(parts)
            if cell is None:
                cell = touched[parts] = self._cells.get(parts) or _Cell(parts)
                if set_back:
                    cell.records.cut(now_us + RECORD_US)
            in_numbers = terms(charge, now_us)
            meter = cell.meter(charge, in_numbers)
            if set_back or in_numbers.kind is Kind.HELD:  # a lease may have been shortened
                meter.follow_clock(in_numbers, now_us)
            view = meter.view(in_numbers, now_us)
            if not view.fits:
                refused.add(_group(charge))
            judged.append((charge, in_numbers, cell, meter, view))
        admitted = "" not in refused
        readings = []
        kept: dict[Parts, _Cell] = {}
        for charge, in_numbers, cell, meter, view in judged:
            made = admitted and (not refused or _group(charge) not in refused)
            readings.append(reading(view, in_numbers, now_us, charged=made))
            if made:
                meter.charge(in_numbers, reservation_id, now_us)
                cell.keep(charge, meter, in_numbers, now_us)
                kept[cell.parts] = cell
        for cell in kept.values():
            cell.records.hold(reservation_id, now_us + RECORD_US, now_us)
            self._keep(cell, now_us)
        return Reserved(admitted, now_us, tuple(readings), hand=hand)

    async def inspect(self, account: str, charges: tuple[Charge, ...]) -> Reserved:
        now_us = self._clock()
        hand = self._hand(account, now_us)
        return self._looked_at(hand.on(charges), hand, now_us)

    async def change_hand(self, account: str, change: Callable[[Hand], Hand]) -> Hand:
        hand = change(self._hand(account, self._clock()))
        self._hands[account] = hand
        return self._hand(account, self._clock())

    async def reset(self, account: str, meters: Collection[str]) -> None:
        for parts, cell in self._cells.items():
            if (ACCOUNT, account) in parts:
                for meter in meters:
                    cell.meters.pop(meter, None)

    async def open_reservations_of(self, account: str) -> int:
        return self._open(lambda parts: (ACCOUNT, account) in parts)

    async def clock_us(self) -> int:
        return self._clock()

    def _hand(self, account: str, now_us: int) -> Hand:
        hand = self._hands.get(account, UNTOUCHED).at(now_us)
        if hand == UNTOUCHED:
            self._hands.pop(account, None)
        return hand

    def _looked_at(self, charges: tuple[Charge, ...], hand: Hand, now_us: int) -> Reserved:
        readings = []
        for charge in charges:
            in_numbers = terms(charge, now_us)
            cell = self._cells.get(charge.partition.parts) or _Cell()
            meter = cell.meter(charge, in_numbers)
            meter.follow_clock(in_numbers, now_us)
            view = meter.view(in_numbers, now_us)
            readings.append(reading(view, in_numbers, now_us, charged=False))
        return Reserved(admitted=False, at_us=now_us, readings=tuple(readings), hand=hand)

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        now_us = self._clock()
        self._is_set_back(now_us)
        looked_at: dict[Parts, tuple[_Cell, int] | None] = {}
        for one in settled:
            parts = one.charge.partition.parts
            if parts not in looked_at:
                looked_at[parts] = self._closed(parts, reservation.id, now_us)
            found = looked_at[parts]
            if found is not None:
                _settle_one(found[0], reservation, one, found[1], now_us)
        open_cells = [found[0] for found in looked_at.values() if found is not None]
        for cell in open_cells:
            cell.live_on(now_us)
        return now_us if open_cells else 0

    def _closed(self, parts: Parts, reservation_id: str, now_us: int) -> tuple[_Cell, int] | None:
        """The partition, where the reservation was open; with the deadline of its record."""
        cell = self._cells.get(parts)
        until_us = cell.records.deadline_us(reservation_id, now_us) if cell else None
        if cell is None or until_us is None:
            return None
        cell.records.cut(now_us + RECORD_US)
        cell.records.release(reservation_id, now_us)
        return cell, until_us

    async def renew(self, reservation: Reservation) -> int:
        now_us = self._clock()
        open_cells: dict[Parts, _Cell] = {}
        for parts in {c.partition.parts for c in reservation.charges}:
            cell = self._cells.get(parts)
            until_us = cell.records.deadline_us(reservation.id, now_us) if cell else None
            if cell and until_us is not None:
                open_cells[parts] = cell
                cell.records.cut(now_us + RECORD_US)
                cell.records.drop_lapsed(now_us)
                if (until_us - now_us) * 2 < RECORD_US:
                    cell.records.hold(reservation.id, now_us + RECORD_US, now_us)
        for charge in reservation.charges:
            held = terms(charge)
            if held.kind is Kind.HELD and charge.partition.parts in open_cells:
                cell = open_cells[charge.partition.parts]
                meter = cell.meter(charge, held)
                meter.follow_clock(held, now_us)
                meter.charge(held, reservation.id, now_us)
                cell.keep(charge, meter, held, now_us)
        for cell in open_cells.values():
            cell.live_on(now_us)
        return now_us

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        """As `SharedStore.replay`: whatever the limits say."""
        now_us = self._clock()
        kept: dict[Parts, _Cell] = {}
        for charge in charges:
            parts, in_numbers = charge.partition.parts, terms(charge, now_us)
            cell = kept[parts] = kept.get(parts) or self._cells.get(parts) or _Cell(parts)
            meter = cell.meter(charge, in_numbers)
            meter.follow_clock(in_numbers, now_us)
            meter.charge(in_numbers, reservation_id, now_us)
            cell.keep(charge, meter, in_numbers, now_us)
        for cell in kept.values():
            cell.records.hold(reservation_id, now_us + RECORD_US, now_us)
            self._keep(cell, now_us)
        return now_us

    async def open_reservations(self) -> int:
        return self._open(lambda _: True)

    def _open(self, among: Callable[[Parts], bool]) -> int:
        now_us = self._clock()
        return len(
            {
                holder
                for parts, cell in self._cells.items()
                if among(parts)
                for holder in cell.records.deadlines_us
                if cell.records.deadline_us(holder, now_us) is not None
            }
        )

    def holds(self, charge: Charge) -> bool:
        """Anything is known of this charge's meter."""
        cell = self._cells.get(charge.partition.parts)
        return cell is not None and charge.limit.meter in cell.meters

    def begin(self, charge: Charge, remember: Callable[[Meter], None]) -> None:
        """A meter that was never charged starts as it is remembered."""
        now_us = self._clock()
        parts = charge.partition.parts
        cell = self._cells.get(parts) or _Cell(parts)
        in_numbers = terms(charge, now_us)
        meter = _METERS[in_numbers.kind]()
        remember(meter)
        meter.follow_clock(in_numbers, now_us)
        cell.keep(charge, meter, in_numbers, now_us)
        self._keep(cell, now_us)

    def release(self, holder: str, partitions: Iterable[Parts]) -> None:
        """Free the slots of a reservation that this store did not make."""
        now_us = self._clock()
        for parts in partitions:
            cell = self._cells.get(parts)
            if cell is not None:
                for meter in cell.meters.values():
                    if isinstance(meter, Leases):
                        meter.release(holder, now_us)

    async def forget(self) -> None:
        """Everything, as a process that ends does."""
        self._cells.clear()
        self._hands.clear()
        self._inspected.clear()
        self._latest_us = 0

    async def ping(self) -> None:
        return

    async def aclose(self) -> None:
        return

    def _keep(self, cell: _Cell, now_us: int) -> None:
        inspected = self._inspected
        if not cell.lapses_at_us:
            self._cells[cell.parts] = cell
            inspected.append(cell)
        cell.live_on(now_us)
        for _ in range(min(2, len(inspected))):
            seen = inspected[0]
            if seen.lapses_at_us <= now_us:
                del self._cells[seen.parts]
                seen.lapses_at_us = 0
                inspected.popleft()
            else:
                inspected.rotate(-1)

    def _is_set_back(self, now_us: int) -> bool:
        if now_us < self._latest_us:
            return True
        self._latest_us = now_us
        return False


def _group(charge: Charge) -> str:
    """A shadow quota's limits are judged together; everything enforced is one group."""
    return charge.limit.quota_id if charge.shadow else ""


def _settle_one(
    cell: _Cell, reservation: Reservation, settled: SettledCharge, until_us: int, now_us: int
) -> None:
    charge = settled.charge
    if settled.actual == charge.amount and charge.limit.kind is not WindowKind.IN_FLIGHT:
        return
    in_numbers = terms(charge, now_us)
    changed = change(settled, in_numbers)
    meter = cell.meter(charge, in_numbers)
    meter.follow_clock(in_numbers, now_us)
    changed_by = difference(changed, reservation.at_us, until_us, now_us)
    meter.settle(in_numbers, reservation.id, changed_by, now_us)
    cell.keep(charge, meter, in_numbers, now_us)

"""What this replica remembers of the shared meters, for the time when nobody can be asked.

The last reading of each, and what it charged itself. Bounded: the partitions that were not seen for
longest are forgotten first.
"""

from collections.abc import Iterable, Iterator

from gateway.decision.hand import ACCOUNT
from gateway.decision.plan import Charge
from gateway.decision.port import Reserved, SettledCharge
from gateway.decision.share import Known
from gateway.policy.quota import WindowKind

MOST_PARTITIONS = 20_000
"""Some 30 MB with four limits each."""

_PIECES = 8
"""A window's own use is remembered in so many pieces; each counts until its end has left."""

Parts = tuple[tuple[str, str], ...]


class _Meter:
    """Of one limit in one partition."""

    __slots__ = ("at_us", "charge", "own", "piece_us", "used")

    def __init__(self, charge: Charge) -> None:
        self.charge = charge
        self.used = 0
        self.at_us = 0
        self.piece_us = charge.limit.window_us // _PIECES
        """0 for what is in flight."""
        self.own: list[list[int]] = []
        """Numbers of pieces, rising, and the units in each."""

    def add(self, units: int, at_us: int) -> None:
        if not self.piece_us:
            return
        piece, own = at_us // self.piece_us, self.own
        if own and own[-1][0] >= piece:
            own[-1][1] += units
        else:
            own.append([piece, units])
            if own[0][0] < piece - _PIECES:
                del own[0]

    def give_back(self, units: int, at_us: int) -> None:
        piece = at_us // self.piece_us if self.piece_us else 0
        for one in self.own:
            if one[0] == piece:
                one[1] = max(0, one[1] - units)

    def moments(self, now_us: int) -> tuple[tuple[int, int], ...]:
        """Each piece at its end, or now."""
        oldest = now_us - self.charge.limit.window_us
        return tuple(
            (min((piece + 1) * self.piece_us, now_us), units)
            for piece, units in self.own
            if units and (piece + 1) * self.piece_us > oldest
        )


class Memory:
    """`note` and `settled` stand on the way of every exchange; the rest is for an outage."""

    def __init__(self, most_partitions: int = MOST_PARTITIONS) -> None:
        self._partitions: dict[Parts, dict[str, _Meter]] = {}
        self._most = most_partitions
        self._in_flight: dict[str, tuple[Charge, ...]] = {}
        """The slots that this replica's exchanges hold."""

    def note(self, reservation_id: str, charges: tuple[Charge, ...], reserved: Reserved) -> None:
        at_us, partitions = reserved.at_us, self._partitions
        held: tuple[Charge, ...] = ()
        parts: Parts | None = None
        meters: dict[str, _Meter] = {}
        for charge, reading in zip(charges, reserved.readings, strict=True):
            limit = charge.limit
            if charge.partition.parts is not parts:
                parts = charge.partition.parts
                meters = partitions.pop(parts, {})
                partitions[parts] = meters  # the last is the youngest
            meter = meters.get(limit.meter)
            if meter is None:
                meter = meters[limit.meter] = _Meter(charge)
            meter.charge = charge
            meter.used, meter.at_us = reading.used, at_us
            if reading.charged:
                if meter.piece_us:
                    meter.add(charge.amount, at_us)
                else:
                    held += (charge,)
        if held:
            self._in_flight[reservation_id] = held
        if len(partitions) > self._most:
            del partitions[next(iter(partitions))]

    def charged(self, charges: tuple[Charge, ...], at_us: int) -> None:
        """The store was told of something that this replica admitted without it."""
        for charge in charges:
            meters = self._partitions.setdefault(charge.partition.parts, {})
            meter = meters.setdefault(charge.limit.meter, _Meter(charge))
            meter.add(charge.amount, at_us)
            meter.used, meter.at_us = meter.used + charge.amount, max(meter.at_us, at_us)

    def settled(
        self, reservation_id: str, settled: tuple[SettledCharge, ...], reserved_at_us: int
    ) -> None:
        self._in_flight.pop(reservation_id, None)
        for one in settled:
            more = one.actual - one.charge.amount
            if not more:
                continue
            meter = self._partitions.get(one.charge.partition.parts, {}).get(one.charge.limit.meter)
            if meter is None or not meter.piece_us:
                continue
            meter.used = max(0, meter.used + more)
            if more > 0:
                meter.add(more, max(reserved_at_us, meter.at_us))
            else:
                meter.give_back(-more, reserved_at_us)

    def forget(self, account: str) -> None:
        """An operator has reset what it used."""
        for parts in [parts for parts in self._partitions if (ACCOUNT, account) in parts]:
            del self._partitions[parts]

    def of(self, charge: Charge, now_us: int, holders: tuple[str, ...]) -> Known | None:
        """None if nothing is known of its meter."""
        meter = self._partitions.get(charge.partition.parts, {}).get(charge.limit.meter)
        if meter is None:
            return Known(len(holders), now_us, holders=holders) if holders else None
        return Known(meter.used, meter.at_us, meter.moments(meter.at_us), holders)

    def holders(self) -> dict[tuple[Parts, str], tuple[str, ...]]:
        """Who holds slots, by partition and meter."""
        found: dict[tuple[Parts, str], tuple[str, ...]] = {}
        for reservation_id, charges in self._in_flight.items():
            for charge in charges:
                key = charge.partition.parts, charge.limit.meter
                found[key] = (*found.get(key, ()), reservation_id)
        return found

    def in_flight(self) -> dict[str, tuple[Charge, ...]]:
        return dict(self._in_flight)

    def own_use(self, now_us: int) -> Iterator[tuple[Charge, ...]]:
        """What this replica charged and what still counts, partition by partition."""
        for meters in list(self._partitions.values()):
            charges = tuple(_charges(meters.values(), now_us))
            if charges:
                yield charges


def _charges(meters: Iterable[_Meter], now_us: int) -> Iterator[Charge]:
    for meter in meters:
        units = sum(units for _, units in meter.moments(now_us))
        if units and meter.charge.limit.kind is not WindowKind.IN_FLIGHT:
            yield Charge(meter.charge.limit, meter.charge.partition, units)

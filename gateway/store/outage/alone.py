"""This replica by itself: its own meters, which begin where the shared ones were last seen."""

from collections.abc import Callable

from gateway.decision.plan import Charge
from gateway.decision.port import Reservation, Reserved, SettledCharge, StoreState
from gateway.decision.share import alone, as_seen, remember
from gateway.store.memory import MemoryStore
from gateway.store.outage.known import Memory


class Alone:
    """For one outage; the next begins with what is known then."""

    def __init__(self, memory: Memory, clock: Callable[[], int], fault: str) -> None:
        self._memory = memory
        self._clock = clock
        self._meters = MemoryStore(clock)
        self._holders = memory.holders()
        self._reservations: dict[str, tuple[tuple[Charge, ...], Reservation]] = {}
        """What was planned and what was charged in its place."""
        self.fault = fault
        """Of the store, when it was last tried."""
        self.store_is_back = False
        """It answers; both have to admit until the other replicas know."""

    @property
    def now_us(self) -> int:
        """The store's clock, as far as it is known."""
        return self._clock()

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], replicas: int, state: StoreState
    ) -> Reserved:
        own = tuple(alone(charge, replicas) for charge in charges)
        for charge, in_its_place in zip(charges, own, strict=True):
            self._begin(charge, in_its_place, replicas)
        reserved = await self._meters.reserve(reservation_id, own)
        readings = tuple(map(as_seen, charges, own, reserved.readings))
        made = [i for i, reading in enumerate(readings) if reading.charged]
        if made:
            self._reservations[reservation_id] = (
                tuple(charges[i] for i in made),
                Reservation(reservation_id, reserved.at_us, tuple(own[i] for i in made)),
            )
        return Reserved(reserved.admitted, reserved.at_us, readings, state)

    async def settle(self, reservation_id: str, settled: tuple[SettledCharge, ...]) -> None:
        """Whatever this replica holds of it."""
        planned, reservation = self._reservations.pop(reservation_id, ((), None))
        if reservation is None:
            self._release(reservation_id, settled)
            return
        actual = {
            (one.charge.partition.parts, one.charge.limit.meter): one.actual for one in settled
        }
        await self._meters.settle(
            reservation,
            tuple(
                SettledCharge(own, actual.get((of.partition.parts, of.limit.meter), own.amount))
                for of, own in zip(planned, reservation.charges, strict=True)
            ),
        )

    async def renew(self, reservation: Reservation) -> None:
        _, own = self._reservations.get(reservation.id, ((), None))
        if own is not None:
            await self._meters.renew(own)

    def _begin(self, charge: Charge, own: Charge, replicas: int) -> None:
        if self._meters.holds(own):
            return
        holders = self._holders.get((charge.partition.parts, charge.limit.meter), ())
        known = self._memory.of(charge, self._clock(), holders)
        if known is not None and own.limit.ceiling:
            self._meters.begin(
                own,
                lambda meter: remember(meter, own, charge.limit, known, replicas),
            )

    def _release(self, reservation_id: str, settled: tuple[SettledCharge, ...]) -> None:
        """A slot that was taken in the store and ends here."""
        for key, holders in self._holders.items():
            if reservation_id in holders:
                self._holders[key] = tuple(one for one in holders if one != reservation_id)
        self._meters.release(reservation_id, [one.charge.partition.parts for one in settled])

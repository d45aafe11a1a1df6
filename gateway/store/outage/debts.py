"""What the store has to be told when it is back: each exchange once, in the order it came."""

import asyncio
from dataclasses import dataclass

from gateway.decision.plan import Charge
from gateway.decision.port import Reservation, SettledCharge, SharedStore
from gateway.errors import StoreUnavailable
from gateway.store.outage.known import Memory

MOST_DEBTS = 50_000
"""Some 100 MB. Beyond it the oldest is dropped, and counted."""

_AT_ONCE = 64


@dataclass(slots=True)
class Debt:
    """One exchange."""

    reservation: Reservation
    to_charge: bool
    """It was admitted without the store; otherwise the store has charged it, or may have."""
    settled: tuple[SettledCharge, ...] | None = None
    """None: it is not over."""
    made_up_for: bool = False
    """The store has charged it since."""


class Debts:
    """Keeps them, and pays."""

    def __init__(self, memory: Memory, most: int = MOST_DEBTS) -> None:
        self._memory = memory
        self._debts: dict[str, Debt] = {}
        self._most = most
        self._moved: dict[str, Reservation] = {}
        """What was charged afterwards and is not over: as the store knows it."""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._debts)

    def admitted(self, reservation: Reservation) -> None:
        self._keep(Debt(reservation, to_charge=True))

    def over(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> None:
        """An exchange that the store charged has ended while it was away."""
        self._keep(Debt(self.as_charged(reservation), to_charge=False, settled=settled))

    def void(self, reservation_id: str, at_us: int, charges: tuple[Charge, ...]) -> None:
        """Nobody knows whether the store charged this. It came to nothing."""
        nothing = tuple(SettledCharge(charge, 0) for charge in charges)
        self._keep(
            Debt(Reservation(reservation_id, at_us, charges), to_charge=False, settled=nothing)
        )

    def find(self, reservation_id: str) -> Debt | None:
        return self._debts.get(reservation_id)

    def forgive(self, reservation_id: str) -> None:
        self._debts.pop(reservation_id, None)

    def as_charged(self, reservation: Reservation) -> Reservation:
        return self._moved.pop(reservation.id, reservation)

    def as_known(self, reservation: Reservation) -> Reservation:
        return self._moved.get(reservation.id, reservation)

    async def pay(self, store: SharedStore) -> None:
        """Until nothing is owed. Raises `StoreUnavailable`; what is paid by then is paid."""
        while self._debts:
            some = list(self._debts.values())[:_AT_ONCE]
            results = await asyncio.gather(
                *(self._pay(debt, store) for debt in some), return_exceptions=True
            )
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def _pay(self, debt: Debt, store: SharedStore) -> None:
        reservation = debt.reservation
        try:
            if debt.to_charge:
                at_us = await store.replay(reservation.id, reservation.charges)
                debt.to_charge, debt.made_up_for = False, True
                self._memory.charged(reservation.charges, at_us)
                debt.reservation = Reservation(reservation.id, at_us, reservation.charges)
            if debt.settled is not None:
                await store.settle(debt.reservation, debt.settled)
                if debt.made_up_for:
                    at_us = debt.reservation.at_us
                    self._memory.settled(reservation.id, debt.settled, at_us)
            else:
                self._moved[reservation.id] = debt.reservation
        except StoreUnavailable as error:
            if error.kind != "response":
                raise
            self.dropped += 1  # the store is there, and will never take this one
        self._debts.pop(reservation.id, None)

    def _keep(self, debt: Debt) -> None:
        self._debts[debt.reservation.id] = debt
        if len(self._debts) > self._most:
            del self._debts[next(iter(self._debts))]
            self.dropped += 1

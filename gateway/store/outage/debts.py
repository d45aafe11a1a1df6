"""What the store has to be told when it is back: each exchange once, in the order it came."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

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
    ripe_at_s: float = 0.0
    """By the monotonic clock: a call about it that failed can be carried out until then. What is
    told earlier might come before that call, and be undone by it."""


class Debts:
    """Keeps them, and pays."""

    def __init__(
        self, memory: Memory, *, patience_seconds: float = 0.0, most: int = MOST_DEBTS
    ) -> None:
        """`patience_seconds` is the store's."""
        self._memory = memory
        self._patience_s = patience_seconds
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
        """Nobody knows whether the store charged this, or will. It came to nothing."""
        nothing = tuple(SettledCharge(charge, 0) for charge in charges)
        reservation = Reservation(reservation_id, at_us, charges)
        ripe_at_s = self._ripe_from_now()
        self._keep(Debt(reservation, to_charge=False, settled=nothing, ripe_at_s=ripe_at_s))

    def find(self, reservation_id: str) -> Debt | None:
        return self._debts.get(reservation_id)

    def forgive(self, reservation_id: str) -> None:
        self._debts.pop(reservation_id, None)

    def as_charged(self, reservation: Reservation) -> Reservation:
        return self._moved.pop(reservation.id, reservation)

    def as_known(self, reservation: Reservation) -> Reservation:
        return self._moved.get(reservation.id, reservation)

    async def pay(self, store: SharedStore, *, all_of_it: bool = False) -> None:
        """Until nothing is owed, but for what need not be told yet.

        What the store has to charge is waited for, and `all_of_it` means the rest, too. Raises
        `StoreUnavailable`; what is paid by then is paid.
        """
        while some := list(islice(self._due(all_of_it), _AT_ONCE)):
            results = await asyncio.gather(
                *(self._pay(debt, store) for debt in some), return_exceptions=True
            )
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    def _due(self, all_of_it: bool) -> Iterator[Debt]:
        now_s = time.monotonic()
        for debt in self._debts.values():
            if all_of_it or debt.to_charge or debt.ripe_at_s <= now_s:
                yield debt

    async def _pay(self, debt: Debt, store: SharedStore) -> None:
        reservation = debt.reservation
        await asyncio.sleep(debt.ripe_at_s - time.monotonic())
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
                debt.ripe_at_s = self._ripe_from_now()
                raise
            self.dropped += 1  # the store is there, and will never take this one
        except asyncio.CancelledError:
            debt.ripe_at_s = self._ripe_from_now()
            raise
        self._debts.pop(reservation.id, None)

    def _ripe_from_now(self) -> float:
        return time.monotonic() + self._patience_s

    def _keep(self, debt: Debt) -> None:
        before = self._debts.get(debt.reservation.id)
        if before is not None:
            debt.ripe_at_s = max(debt.ripe_at_s, before.ripe_at_s)
        self._debts[debt.reservation.id] = debt
        if len(self._debts) > self._most:
            del self._debts[next(iter(self._debts))]
            self.dropped += 1

"""The store of a replay: it can be made to say once more what a gauger decided alone, live."""

from collections.abc import Callable, Collection
from typing import Protocol

from gateway.decision.hand import Hand
from gateway.decision.plan import Charge
from gateway.decision.port import (
    OperatorStore,
    Reservation,
    Reserved,
    SettledCharge,
    StoreState,
)
from gateway.errors import StoreUnavailable
from gateway.replay.recorded_decision import RecordedDecision

ALONE = frozenset({StoreState.SHARE.value, StoreState.OPEN.value, StoreState.UNAVAILABLE.value})
"""How a decision says that the store did not make it."""


class ReplayStore(OperatorStore, Protocol):
    """A store that nobody else uses."""

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        """As `SharedStore.replay`."""
        ...

    async def forget(self) -> None:
        """Everything."""
        ...


class AsRecorded:
    """`said` is what the next reservation is answered with; None: the store answers."""

    def __init__(self, store: ReplayStore) -> None:
        self._store = store
        self.said: RecordedDecision | None = None

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        """What was admitted without the store is charged, as it was when the store was back."""
        said, self.said = self.said, None
        if said is not None and said.store == StoreState.UNAVAILABLE:
            raise StoreUnavailable("The store was away.", kind="recorded")
        if said is None or len(said.readings) != len(charges):
            return await self._store.reserve(reservation_id, charges, account)
        found = await self._store.inspect(account, charges)
        pairs = zip(charges, said.readings, strict=True)
        charged = tuple(charge for charge, reading in pairs if reading.charged)
        if charged:
            await self._store.replay(reservation_id, charged)
        return Reserved(
            said.verdict == "allow",
            found.at_us,
            tuple(reading.reading() for reading in said.readings),
            StoreState(said.store),
            found.hand,
        )

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        return await self._store.settle(reservation, settled)

    async def renew(self, reservation: Reservation) -> int | None:
        return await self._store.renew(reservation)

    async def change_hand(self, account: str, change: Callable[[Hand], Hand]) -> Hand:
        return await self._store.change_hand(account, change)

    async def reset(self, account: str, meters: Collection[str]) -> None:
        await self._store.reset(account, meters)

    async def forget(self) -> None:
        await self._store.forget()

    async def open_reservations(self) -> int:
        return await self._store.open_reservations()

    async def ping(self) -> None:
        await self._store.ping()

    async def aclose(self) -> None:
        await self._store.aclose()

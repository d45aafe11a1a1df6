"""What an operator does to an account goes to the shared store or fails: nobody guesses for him."""

from collections.abc import Callable, Collection

from gateway.decision.hand import Hand
from gateway.decision.plan import Charge
from gateway.decision.port import Reserved, SharedStore
from gateway.store.outage.known import Memory


class ByHand:
    """Raises `StoreUnavailable` while the store is away."""

    def __init__(self, shared: SharedStore, memory: Memory) -> None:
        self._shared = shared
        self._memory = memory

    async def inspect(self, account: str, charges: tuple[Charge, ...]) -> Reserved:
        return await self._shared.inspect(account, charges)

    async def change_hand(self, account: str, change: Callable[[Hand], Hand]) -> Hand:
        return await self._shared.change_hand(account, change)

    async def reset(self, account: str, meters: Collection[str]) -> None:
        await self._shared.reset(account, meters)
        self._memory.forget(account)

    async def open_reservations_of(self, account: str) -> int:
        return await self._shared.open_reservations_of(account)

    async def clock_us(self) -> int:
        return await self._shared.clock_us()

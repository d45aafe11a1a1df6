"""Stores with partitions of which every window is as full as steady traffic makes it."""

from collections.abc import Sequence

from gateway.decision.plan import Charge, Partition
from gateway.decision.port import Reservation, SettledCharge, Store
from gateway.policy.quota import Limit, WindowKind
from tests.parts.clock import Clock

ACCOUNT = "account.id"


async def fill(store: Store, clock: Clock, limits: Sequence[Limit], accounts: int) -> None:
    """Each account charges each limit through one of its windows, and through 64 slices of it.

    The last exchange of each is still under way where a slot is to be held.
    """
    for number in range(accounts):
        partition = Partition(((ACCOUNT, f"account-{number:05}"),))
        for at, limit in enumerate(limits):
            await _fill_limit(store, clock, limit, partition, f"{number}-{at}")


async def _fill_limit(
    store: Store, clock: Clock, limit: Limit, partition: Partition, name: str
) -> None:
    begun_us = clock.now_us
    held = limit.kind is WindowKind.IN_FLIGHT
    steps = limit.amount if held else 66
    for step in range(steps):
        if not held:
            clock.now_us = begun_us + step * limit.window_us // 64
        charge = Charge(limit, partition, max(1, limit.amount // 100))
        charge = Charge(limit, partition, 1) if held else charge
        reserved = await store.reserve(f"{name}-{step}", (charge,))
        if reserved.admitted and not held:
            made = Reservation(f"{name}-{step}", reserved.at_us, (charge,))
            await store.settle(made, (SettledCharge(charge, charge.amount),))
    clock.now_us = begun_us

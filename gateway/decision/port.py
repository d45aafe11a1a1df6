"""What admission asks of a store.

A store keeps the running state of meters; `decision.sliding`, `bucket` and `leases` say what that
state means, in memory and in Redis alike. Both stores pass `tests/contract`.
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.decision.plan import Charge
from gateway.values import made_often

RECORD_US = 3_600_000_000
"""How long a reservation can still be settled: an hour, longer than any stream we pass on."""


@made_often
@dataclass(frozen=True, slots=True)
class Reading:
    """What one limit says about one charge, at one moment of the store's clock."""

    used: int
    """Units counted, the charge included if it was made."""
    fits: bool
    charged: bool
    """Made: everything enforced fits, and (a shadow quota's) all limits of its quota fit."""
    retry_after_us: int | None
    """Until the same charge fits if nothing else comes. 0 if it fits; None: never, or (in flight)
    nobody can know."""
    full_after_us: int
    """Until nothing of this limit is used any more, if nothing else comes."""


@made_often
@dataclass(frozen=True, slots=True)
class Reserved:
    """The answer to `reserve`."""

    admitted: bool
    at_us: int
    """The store's clock, by which the charges were made."""
    readings: tuple[Reading, ...]
    """One for each charge of the plan, in its order."""


@made_often
@dataclass(frozen=True, slots=True)
class Reservation:
    """What is held for one exchange until it is settled."""

    id: str
    at_us: int
    charges: tuple[Charge, ...]
    """Those that were really made."""


@made_often
@dataclass(frozen=True, slots=True)
class SettledCharge:
    """The actual in the place of the reserved."""

    charge: Charge
    actual: int


class Store(Protocol):
    """Raises `StoreUnavailable` where it cannot answer; never an error of its own library."""

    async def reserve(self, reservation_id: str, charges: tuple[Charge, ...]) -> Reserved:
        """Charge everything that is enforced, or nothing at all. One round trip.

        A shadow quota charges its own meters as if it had enforced: only what was admitted and
        what all its own limits admit.
        """
        ...

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> bool:
        """Release the slots and apply the differences, once.

        `settled` has every charge of the reservation. False if it was settled before, or so late
        that its record has lapsed: then nothing moves.
        """
        ...

    async def renew(self, reservation: Reservation) -> None:
        """Keep the slots of a living exchange. A slot that has lapsed is taken again."""
        ...

    async def open_reservations(self) -> int:
        """How many are unsettled; for tests and operators, not for the hot path."""
        ...

    async def ping(self) -> None:
        """Raises `StoreUnavailable` if it does not answer."""
        ...

    async def aclose(self) -> None: ...

"""What admission asks of a store.

A store keeps the running state of meters; `decision.sliding`, `bucket` and `leases` say what that
state means, in memory and in Redis alike. Both stores pass `tests/contract`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.behaviour.port import Exchange
from gateway.decision.hand import UNTOUCHED, Hand, LastSeen
from gateway.decision.plan import Charge
from gateway.errors import StoreUnavailable
from gateway.values import made_often

RECORD_US = 3_600_000_000
"""How long a reservation can still be settled: an hour, longer than any stream we pass on."""


class StoreState(StrEnum):
    """How the store took part in a decision."""

    OK = "ok"
    DOUBTFUL = "doubtful"
    """It counts, on a server that has just taken over: what the one before it acknowledged last may
    be missing."""
    SHARE = "share"
    """It was away, and this replica decided within its own share."""
    OPEN = "open"
    """It was away, and all that was asked of it is open meanwhile."""
    UNAVAILABLE = "unavailable"
    """It was away, and nobody may decide without it."""
    UNUSED = "unused"
    """No quota matched, so nobody was asked."""


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
    state: StoreState = StoreState.OK
    hand: Hand = UNTOUCHED
    """What an operator has laid on the account; the readings were made with what it grants."""


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

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        """Charge everything that is enforced, or nothing at all. One round trip.

        Nothing is admitted of an `account` that is shut out, and what it was granted is added to
        its limits. Without an account no hand is looked at.

        A shadow quota charges its own meters as if it had enforced: only what was admitted and
        what all its own limits admit.
        """
        ...

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        """Release the slots and apply the differences, once. Returns when, by the store's clock.

        `settled` has every charge of the reservation. 0 if it was settled before, or so late that
        its record has lapsed: then nothing moves.
        """
        ...

    async def renew(self, reservation: Reservation) -> int | None:
        """Keep the slots of a living exchange. A slot that has lapsed is taken again.

        Returns when, by the store's clock; None while it is away.
        """
        ...

    async def open_reservations(self) -> int:
        """How many are unsettled; for tests and operators, not for the hot path."""
        ...

    async def ping(self) -> None:
        """Raises `StoreUnavailable` if it does not answer."""
        ...

    async def aclose(self) -> None: ...


class OperatorStore(Store, Protocol):
    """What an operator does to one account, at once and for all replicas."""

    async def inspect(self, account: str, charges: tuple[Charge, ...]) -> Reserved:
        """What a reservation would find; nothing is charged and nothing written."""
        ...

    async def change_hand(self, account: str, change: Callable[[Hand], Hand]) -> Hand:
        """Returns the new one. `change` gets what is in force, and may be called again."""
        ...

    async def reset(self, account: str, meters: Collection[str]) -> None:
        """Forget what was used by `Limit.meter`, in every partition of the account."""
        ...

    async def open_reservations_of(self, account: str) -> int:
        """How many are unsettled."""
        ...

    async def clock_us(self) -> int:
        """The store's clock."""
        ...


@dataclass(frozen=True, slots=True)
class Present:
    """Who shares the store, as it says itself."""

    replicas: int
    """Alive, this one included."""
    known: bool
    """It knew this replica before; else the replica is new, or the store has lost its memory."""
    at_us: int
    """The store's clock."""


class SharedStore(OperatorStore, Protocol):
    """A store outside of this process, shared by replicas: it can be away."""

    @property
    def last_seen(self) -> LastSeen:
        """What operators' hands are on which accounts, for the time when it is away."""
        ...

    @property
    def patience_seconds(self) -> float:
        """A call that has failed may still be carried out for so long, and surely not later."""
        ...

    @property
    def warnings(self) -> list[str]:
        """What `start` found that can make the counters wrong, in sentences for an operator."""
        ...

    async def start(self) -> None:
        """Prepare what need not wait for the first call. Raises `StoreUnavailable`."""
        ...

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        """Charge what was admitted elsewhere, whatever the limits say, once for each id.

        It can then be settled like any other. Returns the store's clock.
        """
        ...

    async def present(self, replica: str, lasting_us: int) -> Present:
        """Be counted as alive for so long. It writes, so it also tells whether writing works."""
        ...

    def exchange(self) -> Exchange:
        """For processes that watch together."""
        ...

    def whenever_lost(self, tell: Callable[[StoreUnavailable], object]) -> None:
        """Tell at once when a connection breaks: whoever comes back may have lost its memory."""
        ...

    async def leave(self, replica: str) -> None:
        """Be counted no more."""
        ...

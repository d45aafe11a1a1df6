"""A shared store that may be away, as a store that is not.

While it answers this only watches: what comes and goes is remembered (`known`), and the replicas
are counted (`presence`). At the first call that fails it is *away*, and nobody waits for it any
more: each quota says what holds meanwhile, and this replica's own meters count (`alone`). Behind
that it is tried again and again. When it answers, it is told of everything that came meanwhile
(`debts`).

Not all replicas find it again at the same moment. So for a while both must admit, this replica's
share and the store: then no replica fills what another has not told yet.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from gateway.behaviour.port import Exchange
from gateway.decision.plan import Charge
from gateway.decision.port import (
    Reservation,
    Reserved,
    SettledCharge,
    SharedStore,
    StoreState,
)
from gateway.errors import StoreUnavailable
from gateway.policy.quota import OnStoreFailure
from gateway.store.outage.alone import Alone
from gateway.store.outage.by_hand import ByHand
from gateway.store.outage.debts import Debts
from gateway.store.outage.known import Memory
from gateway.store.outage.presence import HEARTBEAT_SECONDS, LASTING_US, Presence

_log = logging.getLogger(__name__)

FIRST_PROBE_SECONDS = 0.05
LONGEST_PROBE_SECONDS = 0.5
RETURN_SECONDS = 1.5
"""For both to admit: longer than the longest wait of any other replica between two probes."""

_BACK_BY_NOW_US = 2_000_000
"""The store's clock is not known to the microsecond while it is away. A moment that is surely too
late is corrected by the store, which knows when it made the reservation."""

_AT_ONCE = 64


class OutageStore(ByHand):
    """Raises `StoreUnavailable` only where a quota is closed, or this replica has no share."""

    def __init__(
        self,
        shared: SharedStore,
        *,
        clock: Callable[[], int],
        replicas: int | None = None,
        on_fault: Callable[[str], None] = lambda _: None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        return_seconds: float = RETURN_SECONDS,
    ) -> None:
        """`clock` gives microseconds, and counts until the store has told its own.

        `replicas`: how many there are, if an operator says so. `on_fault` hears of each failure of
        the store by its kind.
        """
        super().__init__(shared, Memory())
        self._clock = clock
        self._on_fault = on_fault
        self._heartbeat = heartbeat_seconds
        self._return = return_seconds
        self._name = secrets.token_hex(8)
        self._debts = Debts(self._memory, patience_seconds=shared.patience_seconds)
        self._presence = Presence(
            told=replicas, heartbeat_seconds=heartbeat_seconds, monotonic=time.monotonic
        )
        self._away: Alone | None = None
        self._forgotten = False
        self._told: tuple[int, int] | None = None
        """What the store's clock said last, and our own at that moment, which nobody sets."""
        self._restored = 0
        self._beating: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self.faults: Counter[str] = Counter()
        shared.whenever_lost(self._went)

    def exchange(self) -> Exchange:
        """For processes that watch together: it may be away, and nobody waits for it."""
        return self._shared.exchange()

    @property
    def fault(self) -> str | None:
        """Why the store is away; None if it is not."""
        return None if self._away is None else self._away.fault

    @property
    def warnings(self) -> list[str]:
        """What `start` found, in sentences for an operator."""
        return self._shared.warnings

    @property
    def replicas(self) -> int | None:
        """Among how many a limit is divided while the store is away; None: no share here."""
        return self._presence.replicas

    @property
    def owed(self) -> int:
        """How many exchanges the store has to be told of."""
        return len(self._debts)

    async def start(self) -> None:
        """Raises `StoreUnavailable`; it is then away, and found when it comes."""
        self._beating = asyncio.create_task(self._beat())
        try:
            await self._shared.start()
            await self._say_present()
        except StoreUnavailable as error:
            self._went(error)
            raise

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        away = self._away
        if away is not None:
            if away.store_is_back:
                return await self._by_both(away, reservation_id, charges, account)
            return await self._alone(away, reservation_id, charges, account)
        try:
            reserved = await self._shared.reserve(reservation_id, charges, account)
        except StoreUnavailable as error:
            self._debts.void(reservation_id, self._by_now_us(), charges)
            return await self._alone(self._went(error), reservation_id, charges, account)
        except asyncio.CancelledError:
            self._debts.void(reservation_id, self._by_now_us(), charges)
            self._make_good()
            raise
        self._memory.note(reservation_id, charges, reserved)
        self._told = reserved.at_us, time.monotonic_ns()
        return reserved

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        away = self._away
        if away is not None:
            await away.settle(reservation.id, settled)
        debt = self._debts.find(reservation.id)
        if debt is not None:
            first = debt.settled is None
            if first:
                debt.settled = settled
            return self._store_now_us() if first else 0
        self._memory.settled(reservation.id, settled, reservation.at_us)
        if away is not None and not away.store_is_back:
            self._debts.over(reservation, settled)
            return self._store_now_us()
        as_charged = self._debts.as_charged(reservation)
        try:
            return await self._shared.settle(as_charged, settled)
        except StoreUnavailable as error:
            self._debts.over(as_charged, settled)
            self._went(error)
            return self._store_now_us()
        except asyncio.CancelledError:
            self._debts.over(as_charged, settled)
            self._make_good()
            raise

    async def renew(self, reservation: Reservation) -> int | None:
        """A slot that lapsed while the store was away is taken again by the next renewal."""
        away = self._away
        if away is not None:
            await away.renew(reservation)
        if (away is None or away.store_is_back) and self._debts.find(reservation.id) is None:
            try:
                return await self._shared.renew(self._debts.as_known(reservation))
            except StoreUnavailable as error:
                self._went(error)
        return None

    async def open_reservations(self) -> int:
        if self._away is not None:
            raise StoreUnavailable("The store is away.", kind=self._away.fault)
        return await self._shared.open_reservations()

    async def ping(self) -> None:
        if self._away is not None:
            raise StoreUnavailable("The store is away.", kind=self._away.fault)
        await self._shared.ping()

    async def aclose(self) -> None:
        """Tells the store what is owed, if it answers at once."""
        for task in (self._beating, self._returning):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        with contextlib.suppress(StoreUnavailable):
            if self._away is None or self._away.store_is_back or self._debts:
                await self._debts.pay(self._shared, all_of_it=True)
                await self._shared.leave(self._name)
        if self._debts:
            _log.error("The store was away to the end: %d exchanges are not counted.", self.owed)
        await self._shared.aclose()

    async def _alone(
        self, away: Alone, reservation_id: str, charges: tuple[Charge, ...], account: str
    ) -> Reserved:
        """Without the store. Waits for nothing."""
        hand = self._shared.last_seen.of(account)[1].at(away.now_us)
        if hand.ban:
            return Reserved(
                admitted=False, at_us=away.now_us, readings=(), state=StoreState.SHARE, hand=hand
            )
        state = self._state(away, charges)
        replicas = self._presence.replicas or 1
        reserved = await away.reserve(reservation_id, hand.on(charges), replicas, state)
        made = _made(charges, reserved)
        if made:
            self._debts.admitted(Reservation(reservation_id, reserved.at_us, made))
        return replace(reserved, hand=hand)

    async def _by_both(
        self, away: Alone, reservation_id: str, charges: tuple[Charge, ...], account: str
    ) -> Reserved:
        alone = await self._alone(away, reservation_id, charges, account)
        if not alone.admitted:
            return alone
        self._debts.forgive(reservation_id)
        try:
            reserved = await self._shared.reserve(reservation_id, charges, account)
        except StoreUnavailable as error:
            self._went(error)
            self._debts.void(reservation_id, self._by_now_us(), charges)
            self._debts.admitted(Reservation(reservation_id, alone.at_us, _made(charges, alone)))
            return alone
        except asyncio.CancelledError:
            self._debts.void(reservation_id, self._by_now_us(), charges)
            raise
        self._memory.note(reservation_id, charges, reserved)
        if not reserved.admitted:
            nothing = tuple(SettledCharge(charge, 0) for charge in charges)
            await away.settle(reservation_id, nothing)
        return reserved

    def _state(self, away: Alone, charges: tuple[Charge, ...]) -> StoreState:
        """Raises `StoreUnavailable` where nobody may decide."""
        said = {c.limit.on_store_failure: c.limit.quota_id for c in charges if not c.shadow}
        is_away = f"The store that counts is away ({away.fault}), and quota"
        closed, shared = said.get(OnStoreFailure.CLOSED), said.get(OnStoreFailure.SHARE)
        if closed is not None:
            raise StoreUnavailable(f"{is_away} {closed} is closed meanwhile.", kind="closed")
        if shared is None:
            return StoreState.OPEN
        if self._presence.replicas is None:
            why = self._presence.why_none
            raise StoreUnavailable(
                f"{is_away} {shared} is shared meanwhile, but {why}.", kind="no_share"
            )
        return StoreState.SHARE

    def _went(self, error: StoreUnavailable) -> Alone:
        """The store is away, or still away."""
        self.faults[error.kind] += 1
        self._on_fault(error.kind)
        if self._away is None:
            _log.warning("%s From now on each quota's on_store_failure holds.", error)
            self._away = Alone(self._memory, self._store_now_us, error.kind)
        self._away.fault = error.kind
        self._away.store_is_back = False
        self._make_good()
        return self._away

    def _make_good(self) -> None:
        """In the background, until nothing is owed and the store is no longer away."""
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._come_back())

    async def _come_back(self) -> None:
        wait, back_at = FIRST_PROBE_SECONDS, None
        while True:
            away = self._away
            await asyncio.sleep(wait)
            error = await self._tell_all()
            if away is not None and not away.store_is_back:
                back_at = None
            if error is not None:
                wait = min(2 * wait, LONGEST_PROBE_SECONDS)
                if away is not None:
                    self._went(error)
                continue
            wait = FIRST_PROBE_SECONDS
            if away is not None and self._presence.replicas != 1 and back_at is None:
                back_at = time.monotonic()
                away.store_is_back = True
            elif away is not None and (
                back_at is None or time.monotonic() - back_at >= self._return
            ):
                _log.warning("The store is back, and has been told of what came meanwhile.")
                self._away = None
            if self._away is None and not self._debts:
                return

    async def _tell_all(self) -> StoreUnavailable | None:
        """Everything that the store does not know; or why it could not be told."""
        try:
            await self._say_present()
            if self._forgotten:
                await self._restore()
            await self._debts.pay(self._shared)
        except StoreUnavailable as error:
            return error
        except Exception:  # noqa: BLE001  # a mistake of ours must not keep the store away for ever
            _log.exception("The store could not be told; it will be tried again.")
            return StoreUnavailable("The store could not be told.", kind="response")
        return None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            if self._away is None:
                try:
                    await self._say_present()
                except StoreUnavailable as error:
                    self._went(error)
                if self._forgotten:
                    self._went(StoreUnavailable("The store has lost its memory.", kind="forgotten"))

    async def _say_present(self) -> None:
        present = await self._shared.present(self._name, LASTING_US)
        self._told = present.at_us, time.monotonic_ns()
        if not self._presence.heard(present):
            self._forgotten = True

    async def _restore(self) -> None:
        """A store that came back empty is told what this replica had charged."""
        work = [(name, charges, False) for name, charges in self._memory.in_flight().items()]
        for charges in self._memory.own_use(self._store_now_us()):
            self._restored += 1
            work.append((f"{self._name}-{self._restored}", charges, True))
        for at in range(0, len(work), _AT_ONCE):
            await asyncio.gather(*(self._restore_one(*one) for one in work[at : at + _AT_ONCE]))
        self._forgotten = False

    async def _restore_one(self, name: str, charges: tuple[Charge, ...], over: bool) -> None:
        at_us = await self._shared.replay(name, charges)
        if over:
            unchanged = tuple(SettledCharge(charge, charge.amount) for charge in charges)
            await self._shared.settle(Reservation(name, at_us, charges), unchanged)

    def _by_now_us(self) -> int:
        return self._store_now_us() + _BACK_BY_NOW_US

    def _store_now_us(self) -> int:
        """The store's clock, by one of our own that nobody sets since it was last told."""
        if self._told is None:
            return self._clock()
        at_us, at_ns = self._told
        return at_us + (time.monotonic_ns() - at_ns) // 1000


def _made(charges: tuple[Charge, ...], reserved: Reserved) -> tuple[Charge, ...]:
    pairs = zip(charges, reserved.readings, strict=True)
    return tuple(charge for charge, reading in pairs if reading.charged)

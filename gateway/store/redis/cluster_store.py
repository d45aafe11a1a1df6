"""The store in a cluster: one script for each hash slot, all at the same time.

What is counted by the account lies in one slot, and so do most reservations. One that is counted by
others, too (an organisation, a network), is one script in each slot. A refusal by any gives back at
once what the others charged: for a moment they may refuse what would have fitted, and never admit
too much. A shadow quota lies in one slot.

Nodes have clocks of their own. Each slot's reservation is settled by the moment that its own node
told.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from gateway.decision.hand import Hand, LastSeen, own_partition
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import Present, Reading, Reservation, Reserved, SettledCharge
from gateway.errors import SettingsError, StoreUnavailable
from gateway.store.keys import partition_key
from gateway.store.redis.address import Kind, Place, read_address
from gateway.store.redis.asked import Asked
from gateway.store.redis.cluster import Cluster, ClusterAdmin
from gateway.store.redis.counters import TIMEOUT_SECONDS, RedisStore
from gateway.store.redis.exchange import RedisExchange
from gateway.store.redis.scripts import Script
from gateway.store.redis.server import ADMIN_TIMEOUT_SECONDS, Server
from gateway.store.redis.topology import slot_of
from gateway.store.redis.words import Raw, Word

MOST_REMEMBERED = 65_536
"""Reservations in more than one slot that are not over. Beyond it the oldest is settled by the
moment of its first slot."""

_REMEMBERED_SLOTS = 16_384

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Part:
    """What one slot is asked."""

    slot: int
    charges: tuple[Charge, ...]
    order: tuple[int, ...]
    """Where in the plan each of them stands."""
    account: str = ""


class ClusterStore:
    """Shared by every gateway that has the same `url` and `prefix`."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], int] | None = None,
        near: Callable[[], int] | None = None,
        prefix: str = "gauger",
        timeout_seconds: float = TIMEOUT_SECONDS,
        secret_fingerprint: str | None = None,
    ) -> None:
        """As `RedisStore`. Raises `SettingsError` for a bad `url`."""
        address = read_address(url)
        if address.kind is not Kind.CLUSTER:
            raise SettingsError("store: this needs a cluster, and the address names a server.")
        self._cluster = Cluster(
            address,
            timeout_seconds=timeout_seconds,
            admin_timeout=max(timeout_seconds, ADMIN_TIMEOUT_SECONDS),
        )
        self._admin = ClusterAdmin(self._cluster)
        self.patience_seconds = timeout_seconds

        def store(place: Place | None, fingerprint: str | None = None) -> RedisStore:
            return RedisStore(
                Server(
                    self._admin, _At(self._cluster, place), timeout_seconds, self._cluster.doubt
                ),
                clock=clock,
                near=near,
                prefix=prefix,
                secret_fingerprint=fingerprint,
            )

        self._whole = store(None, secret_fingerprint)
        self._make = store
        self._at: dict[Place, RedisStore] = {}
        """For each node what is known of its clock."""
        self._moments: OrderedDict[str, dict[int, int]] = OrderedDict()
        """By slot, of reservations in more than one."""

    @property
    def last_seen(self) -> LastSeen:
        return self._whole.last_seen

    @property
    def warnings(self) -> list[str]:
        return self._whole.warnings

    @property
    def forgets(self) -> list[str]:
        return self._whole.forgets

    async def start(self) -> None:
        await self._cluster.topology(0)
        await self._whole.start()

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        parts = _parts(charges, account)
        if len(parts) == 1:
            store = await self._store(parts[0].slot)
            return await store.reserve(reservation_id, charges, account)
        is_out = self.last_seen.of(account)[1].ban is not None
        asked = await self._ask(reservation_id, parts, only_looking=is_out)
        if all(one.admitted for one in asked):
            self._remember(reservation_id, parts, [one.now_us for one in asked])
            return _joined(parts, asked, admitted=True)
        await self._give_back(reservation_id, parts, asked)
        return _joined(parts, asked, admitted=False)

    async def inspect(self, account: str, charges: tuple[Charge, ...]) -> Reserved:
        parts = _parts(charges, account)
        return _joined(parts, await self._ask("", parts, only_looking=True), admitted=False)

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        by_slot: dict[int, list[SettledCharge]] = {}
        for one in settled:
            by_slot.setdefault(_slot(one.charge.partition), []).append(one)
        moments = self._moments.get(reservation.id, {})
        times = await _all(
            [
                self._settle(slot, _at(reservation, moments.get(slot)), tuple(some))
                for slot, some in by_slot.items()
            ]
        )
        self._moments.pop(reservation.id, None)
        return max(times, default=0)

    async def renew(self, reservation: Reservation) -> int:
        by_slot: dict[int, list[Charge]] = {}
        for charge in reservation.charges:
            by_slot.setdefault(_slot(charge.partition), []).append(charge)

        async def renew(slot: int, charges: list[Charge]) -> int:
            some = Reservation(reservation.id, reservation.at_us, tuple(charges))
            return await (await self._store(slot)).renew(some)

        return max(await _all([renew(*one) for one in by_slot.items()]), default=0)

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        parts = _parts(charges, "")

        async def replay(part: _Part) -> int:
            return await (await self._store(part.slot)).replay(reservation_id, part.charges)

        moments = await _all([replay(part) for part in parts])
        if len(parts) > 1:
            self._remember(reservation_id, parts, moments)
        return moments[0]

    async def present(self, replica: str, lasting_us: int) -> Present:
        return await self._whole.present(replica, lasting_us)

    async def leave(self, replica: str) -> None:
        await self._whole.leave(replica)

    def whenever_lost(self, tell: Callable[[StoreUnavailable], object]) -> None:
        self._cluster.on_lost = tell

    async def change_hand(self, account: str, change: Callable[[Hand], Hand]) -> Hand:
        return await self._whole.change_hand(account, change)

    async def reset(self, account: str, meters: Collection[str]) -> None:
        await self._whole.reset(account, meters)

    async def open_reservations(self) -> int:
        return await self._whole.open_reservations()

    async def open_reservations_of(self, account: str) -> int:
        return await self._whole.open_reservations_of(account)

    async def clock_us(self) -> int:
        return await self._whole.clock_us()

    def exchange(self) -> RedisExchange:
        """For processes that watch together. Closed with the store."""
        return self._whole.exchange()

    async def forget(self) -> None:
        """Drop all counters under the prefix: for a replay, whose prefix nobody else has."""
        await self._whole.forget()

    async def ping(self) -> None:
        await self._whole.ping()

    async def aclose(self) -> None:
        await self._cluster.aclose()

    async def _store(self, slot: int) -> RedisStore:
        place = await self._cluster.place_of(slot)
        found = self._at.get(place)
        if found is None:
            found = self._at[place] = self._make(place)
            found.last_seen = self._whole.last_seen
        return found

    async def _ask(
        self, reservation_id: str, parts: Sequence[_Part], *, only_looking: bool
    ) -> list[Asked]:
        async def ask(part: _Part) -> Asked:
            store = await self._store(part.slot)
            return await store.ask(
                reservation_id, part.charges, part.account, only_looking=only_looking
            )

        return await _all([ask(part) for part in parts])

    async def _give_back(
        self, reservation_id: str, parts: Sequence[_Part], asked: Sequence[Asked]
    ) -> None:
        """Raises `StoreUnavailable`: then nobody knows, as when a reservation has no answer."""
        await _all(
            [
                self._settle(
                    part.slot,
                    Reservation(reservation_id, one.now_us, part.charges),
                    tuple(SettledCharge(charge, 0) for charge in part.charges),
                )
                for part, one in zip(parts, asked, strict=True)
                if one.admitted and part.charges
            ]
        )

    async def _settle(
        self, slot: int, reservation: Reservation, settled: tuple[SettledCharge, ...]
    ) -> int:
        return await (await self._store(slot)).settle(reservation, settled)

    def _remember(
        self, reservation_id: str, parts: Sequence[_Part], moments: Sequence[int]
    ) -> None:
        self._moments[reservation_id] = {
            part.slot: at_us for part, at_us in zip(parts, moments, strict=True)
        }
        if len(self._moments) > MOST_REMEMBERED:
            self._moments.popitem(last=False)


class _At:
    """Runs scripts at one node, or wherever it sends us on to; None: where the keys are."""

    def __init__(self, cluster: Cluster, place: Place | None) -> None:
        self._cluster = cluster
        self._place = place

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        if self._place is None:
            return await self._cluster.run(script, keys, words)
        return await self._cluster.run_at(self._place, script, keys, words)

    async def aclose(self) -> None:
        """Nothing: the connections are the cluster's."""


@lru_cache(_REMEMBERED_SLOTS)
def _slot(partition: Partition) -> int:
    return slot_of(partition_key("", partition))


@lru_cache(_REMEMBERED_SLOTS)
def _slot_of_account(account: str) -> int:
    return _slot(own_partition(account))


def _parts(charges: tuple[Charge, ...], account: str) -> list[_Part]:
    """The account's slot first, whether anything is charged there or not: its hand lies there."""
    by_slot: dict[int, list[int]] = {_slot_of_account(account): []} if account else {}
    for i, charge in enumerate(charges):
        by_slot.setdefault(_slot(charge.partition), []).append(i)
    if not by_slot:
        return [_Part(0, (), ())]
    parts = [
        _Part(slot, tuple(charges[i] for i in order), tuple(order))
        for slot, order in by_slot.items()
    ]
    first = parts[0]
    parts[0] = _Part(first.slot, first.charges, first.order, account)
    return parts


def _joined(parts: Sequence[_Part], asked: Sequence[Asked], *, admitted: bool) -> Reserved:
    found: dict[int, Reading] = {}
    for part, one in zip(parts, asked, strict=True):
        readings = one.reserved.readings if admitted else one.given_back()
        found |= zip(part.order, readings, strict=True)
    return Reserved(
        admitted,
        asked[0].now_us,
        tuple(found[i] for i in range(len(found))),
        asked[0].state,
        asked[0].hand,
    )


def _at(reservation: Reservation, at_us: int | None) -> Reservation:
    if at_us is None:
        return reservation
    return Reservation(reservation.id, at_us, reservation.charges)


async def _all(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """At the same time. Raises the first error when all have ended.

    So none is still on its way when the caller decides what to do.
    """
    if len(calls) == 1:
        return [await calls[0]]
    found = await asyncio.gather(*calls, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return [one for one in found if not isinstance(one, BaseException)]

"""The nodes of a cluster: each script goes to the node that keeps its keys' slot.

Which node that is, the cluster was asked before, and says itself where it has changed: MOVED is
remembered, ASK holds for one call, TRYAGAIN is tried again while the call's time lasts. After
whatever else goes wrong the cluster is asked anew, behind the calls' backs.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from gateway.errors import StoreUnavailable
from gateway.store.redis.address import Address, Place
from gateway.store.redis.doubt import Doubt
from gateway.store.redis.faults import unavailable
from gateway.store.redis.link import Admin, Link
from gateway.store.redis.redirect import redirect
from gateway.store.redis.scripts import Script
from gateway.store.redis.topology import Topology, discovered, slot_of
from gateway.store.redis.wire import Wire
from gateway.store.redis.words import Raw, Word

TRY_AGAIN_SECONDS = 0.005
AGREED_FOR_SECONDS = 1.0
"""What the cluster said so lately is good enough for an operator."""

_ASKED_AT_ONCE = 7
_AT_MOST_EVERY_SECONDS = 0.1

T = TypeVar("T")


class Cluster:
    """Raises `StoreUnavailable` and nothing else."""

    def __init__(self, address: Address, *, timeout_seconds: float, admin_timeout: float) -> None:
        """Raises `SettingsError` for an address that redis-py does not take."""
        self._address = address
        self._timeout = timeout_seconds
        self._admin_timeout = admin_timeout
        self._links: dict[Place, Link] = {}
        self._wires: dict[Place, Wire] = {}
        self._topology = Topology(())
        self._by_slot: list[Place | None] = []
        self._known_at = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self.doubt = Doubt(possible=not address.acks)
        self.on_lost: Callable[[StoreUnavailable], object] = lambda _: None
        """Told when the connection to a master breaks that stood."""
        self.link(address.places[0]).target()

    def link(self, place: Place) -> Link:
        if place not in self._links:
            self._links[place] = Link(
                self._address.server, timeout_seconds=self._admin_timeout, at=place
            )
        return self._links[place]

    async def place_of(self, slot: int) -> Place:
        if not self._by_slot:
            try:
                async with asyncio.timeout(self._timeout):
                    await self.refresh()
            except TimeoutError as error:
                raise unavailable("timeout") from error
        place = self._by_slot[slot]
        if place is None:
            self._refresh_soon()
            raise unavailable("moved")
        return place

    async def topology(self, lasting_seconds: float) -> Topology:
        """Asked anew if it was last asked longer ago."""
        age = asyncio.get_running_loop().time() - self._known_at
        if not self._by_slot or age > lasting_seconds:
            await self.refresh()
        return self._topology

    async def run(self, script: Script, keys: Sequence[str], words: Sequence[Word]) -> list[Raw]:
        """All keys are in one slot."""
        place = await self.place_of(slot_of(keys[0]) if keys else 0)
        return await self.run_at(place, script, keys, words)

    async def run_at(
        self, place: Place, script: Script, keys: Sequence[str], words: Sequence[Word]
    ) -> list[Raw]:
        """As `run`, at the node that is thought to keep the keys."""

        async def ask(place: Place, asking: bool) -> list[Raw]:
            return await self._wire(place).run(script, keys, words, asking=asking)

        return await self._followed(place, slot_of(keys[0]) if keys else 0, ask, self._timeout)

    async def command(self, key: str | bytes, *words: Word) -> Any:  # noqa: ANN401  # as answered
        async def ask(place: Place, asking: bool) -> Any:  # noqa: ANN401
            link = self.link(place)
            return await (link.asking(*words) if asking else link.command(key, *words))

        slot = slot_of(key)
        return await self._followed(await self.place_of(slot), slot, ask, self._admin_timeout)

    async def refresh(self) -> None:
        """Ask the cluster. Who comes meanwhile waits for the same answer."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._ask_again())
        await asyncio.shield(self._refreshing)

    async def aclose(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})
        for wire in self._wires.values():
            await wire.aclose()
        for link in self._links.values():
            await link.aclose()

    async def _followed(
        self, place: Place, slot: int, ask: Callable[[Place, bool], Awaitable[T]], seconds: float
    ) -> T:
        """Wherever the cluster sends us on to, while the call's time lasts."""
        loop = asyncio.get_running_loop()
        until, asking = loop.time() + seconds, False
        while True:
            try:
                return await ask(place, asking)
            except StoreUnavailable as error:
                sent_on = redirect(error, place)
                if sent_on is None:
                    self._refresh_soon()
                if sent_on is None or loop.time() >= until:
                    raise
            if sent_on.place is None:
                await asyncio.sleep(TRY_AGAIN_SECONDS)
                place, asking = self._by_slot[slot] or place, False
                continue
            place, asking = sent_on.place, sent_on.asking
            if not asking and self._by_slot:
                self._by_slot[slot] = place
                self._refresh_soon()

    def _wire(self, place: Place) -> Wire:
        wire = self._wires.get(place)
        if wire is None:
            wire = self._wires[place] = Wire(
                self.link(place).target(),
                timeout_seconds=self._timeout,
                acks=self._address.acks,
            )
            wire.on_lost = lambda error: self._lost(place, error)
        return wire

    def _lost(self, place: Place, error: StoreUnavailable) -> None:
        self._refresh_soon()
        if place in self._topology.masters:
            self.on_lost(error)

    def _refresh_soon(self) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._ask_again(_AT_MOST_EVERY_SECONDS))
            self._refreshing.add_done_callback(_heard)

    async def _ask_again(self, at_most_every_seconds: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._known_at + at_most_every_seconds - loop.time())
        known = [*self._topology.masters, *self._topology.replicas]
        random.shuffle(known)
        places = list(dict.fromkeys([*known[:_ASKED_AT_ONCE], *self._address.places]))
        found = await discovered([self.link(place) for place in places[:_ASKED_AT_ONCE]])
        gone = {*self._topology.masters} - {*found.masters}
        if gone and {*found.masters} - {*self._topology.masters}:
            self.doubt.begin()
        self._topology, self._by_slot = found, found.by_slot()
        self._known_at = loop.time()


class ClusterAdmin(Admin):
    """Whatever is said of all keys is said to all masters."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def command(self, key: str | bytes, *words: Word) -> Any:  # noqa: ANN401  # as answered
        return await self._cluster.command(key, *words)

    async def keys(self, pattern: str) -> AsyncIterator[bytes]:
        for link in await self.links():
            async for key in link.keys(pattern):
                yield key

    async def links(self) -> list[Link]:
        topology = await self._cluster.topology(AGREED_FOR_SECONDS)
        return [self._cluster.link(place) for place in topology.masters]

    async def all_links(self) -> list[Link]:
        replicas = (await self._cluster.topology(AGREED_FOR_SECONDS)).replicas
        return [*await self.links(), *(self._cluster.link(place) for place in replicas)]

    async def aclose(self) -> None:
        await self._cluster.aclose()


def _heard(refreshing: "asyncio.Task[None]") -> None:
    """Nobody may be waiting for it; if it failed, the next call that fails begins another."""
    if not refreshing.cancelled():
        with contextlib.suppress(StoreUnavailable):
            refreshing.result()

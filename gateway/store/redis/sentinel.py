"""The master that sentinels know of: where it is, whether it is still the same, and its admin side.

All sentinels are asked at once, and what most of them say is tried first: one that was cut off from
the others may name a master that is none any more. Whoever connects asks the server itself, too.
When the master that they name is gone, its replicas are asked: one of them is the next, and knows
it a second or two before all sentinels do.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from gateway.errors import StoreUnavailable
from gateway.store.redis.address import Address, Place
from gateway.store.redis.connection import Target
from gateway.store.redis.faults import unavailable
from gateway.store.redis.link import Admin, Link
from gateway.store.redis.words import Word

LOOK_SECONDS = 0.5
"""So often it is asked whether another has taken over, for the time when nobody hangs up."""

_STRAGGLERS_SECONDS = 0.05
"""The one that leads a failover knows of the new master before the others do."""


class Sentinels:
    """Raises `StoreUnavailable` and nothing else."""

    def __init__(self, address: Address, *, timeout_seconds: float) -> None:
        """Raises `SettingsError` for an address that redis-py does not take."""
        self._service = address.service
        self._links = [
            Link(address.sentinel, timeout_seconds=timeout_seconds, at=place)
            for place in address.places
        ]
        self._server = Link(
            address.server, timeout_seconds=timeout_seconds, at=address.places[0]
        ).target()

    async def places(self) -> list[Place]:
        """Where the master may be, what most sentinels say first."""
        return [place for place, _ in (await self._votes()).most_common()]

    async def agreed(self) -> Place | None:
        """Where most of all sentinels say that it is."""
        ((place, votes),) = (await self._votes()).most_common(1)
        return place if self._is_majority(votes) else None

    async def masters(self) -> AsyncIterator[Target]:
        """Who may be the master, likeliest first. Whoever takes one asks it."""
        named = await self.places()
        for place in named:
            yield self._target(place)
        for place in await self.replicas():
            if place not in named:
                yield self._target(place)

    def _target(self, place: Place) -> Target:
        return replace(self._server, host=place[0], port=place[1])

    async def replicas(self) -> list[Place]:
        """Of those that are well, as the first sentinel that answers knows them."""
        for link in self._links:
            try:
                found = await link.command(b"", "SENTINEL", "REPLICAS", self._service)
            except StoreUnavailable:
                continue
            told = [dict(zip(one[::2], one[1::2], strict=True)) for one in found]
            return [
                (one[b"ip"].decode(), int(one[b"port"]))
                for one in told
                if not {b"s_down", b"o_down", b"disconnected"} & {*one[b"flags"].split(b",")}
            ]
        return []

    async def aclose(self) -> None:
        for link in self._links:
            await link.aclose()

    async def _votes(self) -> Counter[Place]:
        """At least one. Whoever has not answered when most of them agree is not waited for."""
        waiting = {asyncio.create_task(self._ask(link)) for link in self._links}
        votes: Counter[Place] = Counter()
        errors: list[StoreUnavailable] = []
        try:
            while waiting:
                agreed = any(map(self._is_majority, votes.values()))
                answered, waiting = await asyncio.wait(
                    waiting,
                    timeout=_STRAGGLERS_SECONDS if agreed else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not answered:
                    break
                for one in answered:
                    try:
                        votes.update(one.result())
                    except StoreUnavailable as error:
                        errors.append(error)
        finally:
            for one in waiting:
                one.cancel()
            if waiting:
                await asyncio.wait(waiting)
        if not votes:
            raise errors[0] if len(errors) == len(self._links) else unavailable("no_master")
        return votes

    def _is_majority(self, votes: int) -> bool:
        return 2 * votes > len(self._links)

    async def _ask(self, link: Link) -> list[Place]:
        """None, if it knows of no such master."""
        found = await link.command(b"", "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
        return [(found[0].decode(), int(found[1]))] if found else []


class Master(Admin):
    """The server that is master."""

    def __init__(
        self,
        sentinels: Sentinels,
        address: Address,
        *,
        timeout_seconds: float,
        in_use: Callable[[], Place | None],
    ) -> None:
        """`in_use`: where the scripts are run, or were last."""
        self._sentinels = sentinels
        self._in_use = in_use
        self._url = address.server
        self._timeout = timeout_seconds
        self._link: Link | None = None
        self._replicas: dict[Place, Link] = {}

    async def links(self) -> list[Link]:
        place = self._in_use() or (await self._sentinels.places())[0]
        before = self._link
        if before is not None and before.place == place:
            return [before]
        self._link = link = Link(self._url, timeout_seconds=self._timeout, at=place)
        if before is not None:
            with contextlib.suppress(StoreUnavailable):
                await before.aclose()
        return [link]

    async def all_links(self) -> list[Link]:
        for place in await self._sentinels.replicas():
            if place not in self._replicas:
                self._replicas[place] = Link(self._url, timeout_seconds=self._timeout, at=place)
        return [*await self.links(), *self._replicas.values()]

    async def command(self, key: str | bytes, *words: Word) -> Any:  # noqa: ANN401  # as answered
        return await (await self.links())[0].command(key, *words)

    async def keys(self, pattern: str) -> AsyncIterator[bytes]:
        async for key in (await self.links())[0].keys(pattern):
            yield key

    async def aclose(self) -> None:
        for link in (self._link, *self._replicas.values()):
            if link is not None:
                await link.aclose()
        await self._sentinels.aclose()


class Lookout:
    """Says so when the sentinels have made another server the master than the one in use."""

    def __init__(
        self, sentinels: Sentinels, *, in_use: Callable[[], Place | None], lose: Callable[[], None]
    ) -> None:
        self._sentinels = sentinels
        self._in_use = in_use
        self._lose = lose
        self._looking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        """Only news count: while a failover goes on most sentinels still name the old one."""
        last: Place | None = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(StoreUnavailable):
                place = await self._sentinels.agreed()
                if place not in (None, last):
                    last = place
                    if self._in_use() not in (None, place):
                        self._lose()

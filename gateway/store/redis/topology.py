"""Which node of a cluster keeps which slots, by what most of its nodes say."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.crc import key_slot

from gateway.errors import StoreUnavailable
from gateway.store.redis.address import Place
from gateway.store.redis.faults import unavailable
from gateway.store.redis.link import Link

SLOTS = 16_384


def slot_of(key: str | bytes) -> int:
    return key_slot(key.encode() if isinstance(key, str) else key)


@dataclass(frozen=True, slots=True)
class Range:
    """Of slots that one master keeps."""

    first: int
    last: int
    master: Place
    replicas: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    ranges: tuple[Range, ...]

    @property
    def masters(self) -> list[Place]:
        return list(dict.fromkeys(one.master for one in self.ranges))

    @property
    def replicas(self) -> list[Place]:
        return list(dict.fromkeys(place for one in self.ranges for place in one.replicas))

    def by_slot(self) -> list[Place | None]:
        """None where nobody keeps a slot."""
        found: list[Place | None] = [None] * SLOTS
        for one in self.ranges:
            found[one.first : one.last + 1] = [one.master] * (one.last + 1 - one.first)
        return found


async def discovered(links: Sequence[Link]) -> Topology:
    """As most of those say that answer: whoever was cut off may tell of what is long past.

    Raises `StoreUnavailable` if nobody answers.
    """
    asked = await asyncio.gather(*(_told_by(link) for link in links), return_exceptions=True)
    told = Counter(one for one in asked if isinstance(one, Topology) and one.ranges)
    if told:
        return told.most_common(1)[0][0]
    for one in asked:
        if isinstance(one, StoreUnavailable):
            raise one
    raise unavailable("moved")


async def _told_by(link: Link) -> Topology:
    found = await link.command(b"", "CLUSTER", "SLOTS")
    ranges = (
        Range(
            int(first),
            int(last),
            _place(master, link),
            tuple(sorted(_place(one, link) for one in replicas)),
        )
        for first, last, master, *replicas in found
    )
    return Topology(tuple(sorted(ranges, key=lambda one: one.first)))


def _place(told: Sequence[Any], link: Link) -> Place:
    """A node that does not know by which name it is called leaves that to whoever called it."""
    host = told[0].decode() if told[0] else ""
    called = link.place[0] if link.place else ""
    return (host if host not in ("", "?") else called), int(told[1])

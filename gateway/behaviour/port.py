"""What several processes that watch together ask of what they share (`store.redis.sightings`)."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Exchange(Protocol):
    """Raises `StoreUnavailable` where it cannot answer. Off every exchange's way."""

    async def push(self, batch: bytes) -> None:
        """Give sightings to whoever leads. Of what waits the oldest goes when it is too much."""
        ...

    async def lead(self, replica: str, lasting_s: float) -> bool:
        """Lead, or go on leading, for so long; False: another one does."""
        ...

    async def pull(self, after: str, most: int) -> Sequence[tuple[str, bytes]]:
        """Batches that came after this one (`0`: all that wait), each with its place."""
        ...

    async def post(self, changed: Mapping[str, bytes | None]) -> None:
        """Put on the common board what changed, by name; None: it is gone."""
        ...

    async def board(self) -> tuple[str, Mapping[str, bytes]]:
        """All of it, and a place from which `changes` goes on."""
        ...

    async def changes(self, since: str) -> tuple[str, Mapping[str, bytes | None]]:
        """What changed since then, and the new place."""
        ...

    async def aclose(self) -> None: ...

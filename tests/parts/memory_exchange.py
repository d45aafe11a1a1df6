"""What processes share that watch together, in this one: the reference for `behaviour.port`."""

from collections.abc import Mapping, Sequence

from gateway.errors import StoreUnavailable


class MemoryExchange:
    """For several assessments of one test."""

    def __init__(self) -> None:
        self.away = False
        self.leader: str | None = None
        self._batches: list[bytes] = []
        self._board: dict[str, bytes] = {}
        self._changes: list[Mapping[str, bytes | None]] = []

    def _there(self) -> None:
        if self.away:
            raise StoreUnavailable("It is away.", kind="silent")

    async def push(self, batch: bytes) -> None:
        self._there()
        self._batches.append(batch)

    async def lead(self, replica: str, lasting_s: float) -> bool:  # noqa: ARG002  a test ends it
        self._there()
        self.leader = self.leader or replica
        return self.leader == replica

    async def pull(self, after: str, most: int) -> Sequence[tuple[str, bytes]]:
        self._there()
        begin = int(after)
        found = self._batches[begin : begin + most]
        return [(str(begin + at + 1), batch) for at, batch in enumerate(found)]

    async def post(self, changed: Mapping[str, bytes | None]) -> None:
        self._there()
        self._changes.append(dict(changed))
        for name, value in changed.items():
            if value is None:
                self._board.pop(name, None)
            else:
                self._board[name] = value

    async def board(self) -> tuple[str, Mapping[str, bytes]]:
        self._there()
        return str(len(self._changes)), dict(self._board)

    async def changes(self, since: str) -> tuple[str, Mapping[str, bytes | None]]:
        self._there()
        changed: dict[str, bytes | None] = {}
        for one in self._changes[int(since) :]:
            changed |= one
        return str(len(self._changes)), changed

    async def aclose(self) -> None:
        pass

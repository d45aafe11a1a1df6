"""What processes that watch together share, in Redis: a stream of sightings, a lease, a board.

Everything lies in one slot of a cluster, all of it is bounded, and all of it expires. None of it is
on the way of a request. Source: `behaviour.port.Exchange`.
"""

from collections.abc import Mapping, Sequence

from gateway.store.redis.link import Admin

MOST_BATCHES = 2_000
"""That may wait: minutes, for a leader who is late. Older ones go."""

MOST_CHANGES = 20_000
LASTING_S = 31 * 86_400
"""The board, when nothing changes any more: longer than any block."""

SIGHTINGS_LAST_S = 3_600

GONE = b""
"""In the changes, of what is not on the board any more."""


class RedisExchange:
    def __init__(self, admin: Admin, prefix: str = "gauger") -> None:
        self._admin = admin
        self._sightings = f"{prefix}:{{watch}}:sightings"
        self._leader = f"{prefix}:{{watch}}:leader"
        self._board = f"{prefix}:{{watch}}:board"
        self._changes = f"{prefix}:{{watch}}:changes"

    async def push(self, batch: bytes) -> None:
        key = self._sightings
        await self._admin.command(key, "XADD", key, "MAXLEN", "~", MOST_BATCHES, "*", "b", batch)
        await self._admin.command(key, "EXPIRE", key, SIGHTINGS_LAST_S)

    async def lead(self, replica: str, lasting_s: float) -> bool:
        """The lease is prolonged by its holder alone, in one step."""
        lasting_ms = int(lasting_s * 1_000)
        taken = await self._admin.command(
            self._leader, "SET", self._leader, replica, "NX", "PX", lasting_ms
        )
        if taken is not None:
            return True
        prolonged = await self._admin.command(
            self._leader, "EVAL", _PROLONG, 1, self._leader, replica, lasting_ms
        )
        return bool(prolonged == 1)

    async def pull(self, after: str, most: int) -> Sequence[tuple[str, bytes]]:
        found = await self._admin.command(
            self._sightings, "XRANGE", self._sightings, f"({after}", "+", "COUNT", most
        )
        return [(place.decode(), fields[b"b"]) for place, fields in found]

    async def post(self, changed: Mapping[str, bytes | None]) -> None:
        """The board first: who reads all of it after a change that it saw finds it there."""
        board = self._board
        kept = [word for name, value in changed.items() if value for word in (name, value)]
        gone = [name for name, value in changed.items() if not value]
        if kept:
            await self._admin.command(board, "HSET", board, *kept)
        if gone:
            await self._admin.command(board, "HDEL", board, *gone)
        await self._admin.command(board, "EXPIRE", board, LASTING_S)
        told = [word for name, value in changed.items() for word in (name, value or GONE)]
        key = self._changes
        await self._admin.command(key, "XADD", key, "MAXLEN", "~", MOST_CHANGES, "*", *told)
        await self._admin.command(key, "EXPIRE", key, LASTING_S)

    async def board(self) -> tuple[str, Mapping[str, bytes]]:
        """The place first: what changes between the two is read twice, and nothing is missed."""
        last = await self._admin.command(
            self._changes, "XREVRANGE", self._changes, "+", "-", "COUNT", 1
        )
        found = await self._admin.command(self._board, "HGETALL", self._board)
        place = last[0][0].decode() if last else "0"
        return place, {name.decode(): value for name, value in found.items()}

    async def changes(self, since: str) -> tuple[str, Mapping[str, bytes | None]]:
        found = await self._admin.command(self._changes, "XRANGE", self._changes, f"({since}", "+")
        changed: dict[str, bytes | None] = {}
        for place, fields in found:
            since = place.decode()
            for name, value in fields.items():
                changed[name.decode()] = value or None
        return since, changed

    async def aclose(self) -> None:
        """Nothing: the connection is the store's."""


_PROLONG = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
"""

"""The store in Redis or Valkey: each call is one script, one round trip, all partitions at once."""

import time
from collections.abc import Callable

from gateway.decision.plan import Charge
from gateway.decision.port import RECORD_US, Reservation, Reserved, SettledCharge
from gateway.errors import StoreUnavailable
from gateway.store.keys import holder_digest
from gateway.store.redis.link import Link
from gateway.store.redis.scripts import RENEW, RESERVE, SETTLE, Script
from gateway.store.redis.words import (
    Raw,
    Said,
    Word,
    open_holders,
    readings,
    to_renew,
    to_reserve,
    to_settle,
)

TIMEOUT_SECONDS = 0.5
"""For a connection from the pool, for connecting, and for an answer: each at most this long."""

_GRACE_US = 1_000_000
_GRACE_FOR_A_FOREIGN_CLOCK_US = 60_000_000
"""A key outlives its last meter by this. Keys lapse by the server's clock."""

_OWN_FIELD = "$"

_BEYOND_THE_CALENDAR = -1
"""A script's answer in the place of one."""


class RedisStore:
    """Shared by every gateway that has the same `url` and `prefix`."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], int] | None = None,
        near: Callable[[], int] | None = None,
        prefix: str = "gauger",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """`clock` gives microseconds, for tests and replay.

        Without it the server's own clock decides, so that the gateways' clocks do not matter.
        `near` guesses that clock (by itself: this machine's), to tell the server which windows of
        a calendar are around it. A wrong guess costs a second round trip, and is learned from.
        Raises SettingsError for a bad `url`.
        """
        self._link = Link(url, timeout_seconds=timeout_seconds)
        self._clock = clock
        self._near = near or clock or _this_machines_clock_us
        self._ahead_us = 0
        """By how much the server's clock was ahead of the guess when the guess was of no use."""
        self._prefix = prefix
        self._grace_us = _GRACE_FOR_A_FOREIGN_CLOCK_US if clock else _GRACE_US
        self.warnings: list[str] = []
        """What `start` found that can make the counters wrong, in sentences for an operator."""

    async def start(self) -> None:
        """Connect, load the scripts, look at the server's settings.

        Not needed for the other calls: what is missing is made good at the first of them.
        """
        await self._link.ping()
        await self._link.load_scripts()
        self.warnings = []
        policy = await self._link.setting("maxmemory-policy")
        if policy and policy != "noeviction":
            self.warnings.append(
                f"The store's maxmemory-policy is {policy}: when its memory runs short it drops "
                "counters, and whoever lost his has a fresh quota. Set it to noeviction."
            )

    async def reserve(self, reservation_id: str, charges: tuple[Charge, ...]) -> Reserved:
        said = to_reserve(self._prefix, charges, self._near_us())
        answer = await self._run(RESERVE, said, reservation_id)
        if answer[0] == _BEYOND_THE_CALENDAR:
            said = to_reserve(self._prefix, charges, self._learned(answer))
            answer = _final(await self._run(RESERVE, said, reservation_id))
        admitted, now_us = answer[0] == 1, int(answer[1])
        return Reserved(admitted, now_us, readings(said, answer[2:], now_us))

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> bool:
        said = to_settle(self._prefix, settled, self._near_us())
        answer = await self._run(SETTLE, said, reservation.id, reservation.at_us)
        if answer[0] == _BEYOND_THE_CALENDAR:
            said = to_settle(self._prefix, settled, self._learned(answer))
            answer = _final(await self._run(SETTLE, said, reservation.id, reservation.at_us))
        return answer == [1]

    async def renew(self, reservation: Reservation) -> None:
        await self._run(RENEW, to_renew(self._prefix, reservation.charges), reservation.id)

    async def open_reservations(self) -> int:
        now_us = self._clock() if self._clock else await self._link.clock_us()
        holders: set[bytes] = set()
        async for own in self._link.fields(f"{self._prefix}:*", _OWN_FIELD):
            holders.update(open_holders(own, now_us))
        return len(holders)

    async def forget(self) -> None:
        """Drop all counters under the prefix: for a replay, whose prefix nobody else has."""
        await self._link.drop(f"{self._prefix}:*")

    async def ping(self) -> None:
        await self._link.ping()

    async def aclose(self) -> None:
        await self._link.aclose()

    def _near_us(self) -> int:
        return self._near() + self._ahead_us

    def _learned(self, answer: list[Raw]) -> int:
        """The server's clock."""
        now_us = int(answer[1])
        self._ahead_us = now_us - self._near()
        return now_us

    async def _run(self, script: Script, said: Said, reservation_id: str, *more: Word) -> list[Raw]:
        now: Word = self._clock() if self._clock else ""
        head: list[Word] = [now, holder_digest(reservation_id), RECORD_US, self._grace_us, *more]
        return await self._link.run(script, said.keys, head + said.words)


def _final(answer: list[Raw]) -> list[Raw]:
    if answer[0] == _BEYOND_THE_CALENDAR:
        raise StoreUnavailable("The store's clock leaps from window to window.", kind="clock")
    return answer


def _this_machines_clock_us() -> int:
    return time.time_ns() // 1000

"""The store in Redis or Valkey: each call is one script, one round trip, all partitions at once."""

import time
from collections.abc import Callable, Collection

from gateway.decision.hand import Hand, LastSeen, own_partition
from gateway.decision.plan import Charge
from gateway.decision.port import RECORD_US, Present, Reservation, Reserved, SettledCharge
from gateway.errors import StoreUnavailable
from gateway.store.keys import account_pattern, holder_digest, meter_field, partition_key
from gateway.store.redis.asked import Asked
from gateway.store.redis.dangers import of_memory, of_persistence
from gateway.store.redis.exchange import RedisExchange
from gateway.store.redis.faults import unavailable
from gateway.store.redis.link import Scripts
from gateway.store.redis.one_secret import OneSecret
from gateway.store.redis.scripts import HAND, PRESENT, RENEW, REPLAY, RESERVE, SETTLE, Script
from gateway.store.redis.server import Server, one_server
from gateway.store.redis.server_clock import ServerClock
from gateway.store.redis.words import (
    Raw,
    Said,
    Word,
    hand_bytes,
    open_holders,
    read_hand,
    to_renew,
    to_reserve,
    to_settle,
)

TIMEOUT_SECONDS = 0.5
"""From a call to its answer, whatever happens in between."""

_GRACE_US = 1_000_000
_GRACE_FOR_A_FOREIGN_CLOCK_US = 60_000_000
"""A key outlives its last meter by this. Keys lapse by the server's clock."""

_OWN_FIELD = "$"

_BEYOND_THE_CALENDAR = -1
_ANOTHER_HAND = -2
_LATE = -3
"""A script's answer in the place of one."""

_BELIEFS = 4
"""How often in a row the store may know better than we do."""

_QUICKER_OPERATORS = 8
"""So many may change the same account's hand at the same time before we give up."""


class RedisStore:
    """Shared by every gateway that has the same `url` and `prefix`."""

    def __init__(
        self,
        url: str | Server,
        *,
        clock: Callable[[], int] | None = None,
        near: Callable[[], int] | None = None,
        prefix: str = "gauger",
        timeout_seconds: float = TIMEOUT_SECONDS,
        pipelined: bool = True,
        secret_fingerprint: str | None = None,
    ) -> None:
        """`clock` gives microseconds, for tests and replay.

        Without it the server's own clock decides, so that the gateways' clocks do not matter.
        `near` guesses that clock (by itself: this machine's), to tell the server which windows of
        a calendar are around it. A wrong guess costs a second round trip, and is learned from.
        `pipelined`: over a connection of our own; else over redis-py's, for comparison.
        `secret_fingerprint`: of the secret that names the accounts, which all must share.
        Raises SettingsError for a bad `url`.
        """
        if isinstance(url, str):
            url = one_server(url, timeout_seconds=timeout_seconds, pipelined=pipelined)
        self._server = url
        self._admin = url.admin
        self._scripts: Scripts = url.scripts
        self.patience_seconds = url.patience_seconds
        self._clock = clock
        self._near = near or clock or _this_machines_clock_us
        self._ahead_us = 0
        """By how much the server's clock was ahead of the guess when the guess was of no use."""
        self._server_clock = ServerClock()
        self._prefix = prefix
        self._one_secret = (
            # Not one of the counters, which are `prefix:...`.
            OneSecret(self._admin, f"{prefix}.secret", secret_fingerprint)
            if secret_fingerprint
            else None
        )
        self.last_seen = LastSeen()
        self._grace_us = _GRACE_FOR_A_FOREIGN_CLOCK_US if clock else _GRACE_US
        self.warnings: list[str] = []
        """What `start` found that can make the counters wrong, in sentences for an operator."""
        self.forgets: list[str] = []
        """The same, for whoever has quotas that nothing may be forgotten of."""

    def exchange(self) -> RedisExchange:
        """For processes that watch together. Closed with the store."""
        return RedisExchange(self._admin, f"{self._prefix}.watch")

    async def start(self) -> None:
        """Connect, load the scripts, look at the server's settings.

        Not needed for the other calls: what is missing is made good at the first of them.
        Raises `SettingsError` if others share the server with another secret.
        """
        await self._admin.ping()
        if self._one_secret is not None:
            await self._one_secret.demand()
        await self._admin.load_scripts()
        self._server_clock.told(await self._admin.clock_us())
        self._server.start()
        self.warnings = await of_memory(self._admin)
        self.forgets = await of_persistence(self._admin)

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        return (await self.ask(reservation_id, charges, account)).reserved

    async def inspect(self, account: str, charges: tuple[Charge, ...]) -> Reserved:
        return (await self.ask("", charges, account, only_looking=True)).reserved

    async def ask(
        self,
        reservation_id: str,
        charges: tuple[Charge, ...],
        account: str,
        *,
        only_looking: bool = False,
    ) -> Asked:
        """The terms rest on what we believe: the clock, and the hand that is on the account.

        Where the script knows better it says so and does nothing, and we say it again.
        """
        near_us, was_late = self._near_us(), False
        own = own_partition(account) if account else None
        for _ in range(_BELIEFS):
            stored, hand = self.last_seen.of(account)
            said = to_reserve(self._prefix, hand.on(charges), near_us, own)
            answer = await self._run(
                RESERVE,
                said,
                reservation_id,
                self._not_after(),
                stored,
                hand.unchanged_until_us if account else "",
                1 if only_looking or hand.ban else 0,
            )
            now_us = int(answer[1])
            self._server_clock.told(now_us)
            if answer[0] == _BEYOND_THE_CALENDAR:
                near_us = self._learned(answer)
            elif answer[0] == _ANOTHER_HAND:
                self._told(account, answer)
            elif answer[0] == _LATE:
                if was_late:  # by what we know of its clock now, too
                    raise unavailable("timeout")
                was_late = True
            else:
                return Asked(said, answer, now_us, hand, self._server.doubt.state)
        raise StoreUnavailable("The store changes faster than it can be asked.", kind="clock")

    def _told(self, account: str, answer: list[Raw]) -> None:
        """What has lapsed by the store's clock is as good as gone, though it lies there."""
        stored = _bytes(answer[2])
        self.last_seen.told(account, stored, read_hand(stored).at(int(answer[1])))

    async def change_hand(self, account: str, change: Callable[[Hand], Hand]) -> Hand:
        now_us = await self.clock_us()
        key = partition_key(self._prefix, own_partition(account))
        stored = b""
        for _ in range(_QUICKER_OPERATORS):
            hand = change(read_hand(stored).at(now_us)).at(now_us)
            lasts_ms = (hand.until_us - now_us + self._grace_us) // 1000
            words: list[Word] = [stored, hand_bytes(hand), lasts_ms]
            answer = await self._scripts.run(HAND, [key], words)
            if answer[0] == 1:
                return hand
            stored = _bytes(answer[1])
        raise StoreUnavailable("Others change this account at the same time.", kind="busy")

    async def reset(self, account: str, meters: Collection[str]) -> None:
        if meters:
            fields = [meter_field(meter) for meter in meters]
            await self._admin.drop_fields(account_pattern(self._prefix, account), fields)

    async def open_reservations_of(self, account: str) -> int:
        return await self._open(account_pattern(self._prefix, account))

    async def clock_us(self) -> int:
        return self._clock() if self._clock else await self._admin.clock_us()

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> int:
        said = to_settle(self._prefix, settled, self._near_us())
        answer = await self._run(SETTLE, said, reservation.id, reservation.at_us)
        if answer[0] == _BEYOND_THE_CALENDAR:
            said = to_settle(self._prefix, settled, self._learned(answer))
            answer = _final(await self._run(SETTLE, said, reservation.id, reservation.at_us))
        return int(answer[0])

    async def renew(self, reservation: Reservation) -> int:
        said = to_renew(self._prefix, reservation.charges)
        return int((await self._run(RENEW, said, reservation.id))[0])

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        near_us = self._near_us()
        for _ in range(_BELIEFS):
            said = to_reserve(self._prefix, charges, near_us)
            answer = await self._run(REPLAY, said, reservation_id, self._not_after())
            self._server_clock.told(int(answer[1]))
            if answer[0] == 1:
                return int(answer[1])
            if answer[0] == _BEYOND_THE_CALENDAR:
                near_us = self._learned(answer)
        raise StoreUnavailable("The store's clock is not what it was a moment ago.", kind="clock")

    async def present(self, replica: str, lasting_us: int) -> Present:
        if self._one_secret is not None:
            await self._one_secret.look_again()
        replicas, known, at_us = await self._scripts.run(
            PRESENT, [self._replicas_key], [replica, lasting_us]
        )
        self._server_clock.told(int(at_us))
        return Present(int(replicas), known == 1, int(at_us))

    def whenever_lost(self, tell: Callable[[StoreUnavailable], object]) -> None:
        self._server.whenever_lost(tell)

    async def leave(self, replica: str) -> None:
        await self._admin.remove_member(self._replicas_key, replica)

    async def open_reservations(self) -> int:
        return await self._open(f"{self._prefix}:*")

    async def _open(self, pattern: str) -> int:
        now_us = await self.clock_us()
        holders: set[bytes] = set()
        async for own in self._admin.fields(pattern, _OWN_FIELD):
            holders.update(open_holders(own, now_us))
        return len(holders)

    async def forget(self) -> None:
        """Drop all counters under the prefix: for a replay, whose prefix nobody else has."""
        await self._admin.drop(f"{self._prefix}:*")

    async def ping(self) -> None:
        await self._admin.ping()

    async def aclose(self) -> None:
        await self._server.aclose()

    @property
    def _replicas_key(self) -> str:
        """Not one of the counters, which are `prefix:...`."""
        return f"{self._prefix}.replicas"

    def _not_after(self) -> Word:
        """Whoever asked has given up by then, and has decided without the server.

        What reaches it later must not charge: it may have lain in a socket of a server that stood
        still, or on its way there. The clock is not ahead of the server's, so nor is this.
        """
        if self._clock:
            return ""
        return self._server_clock.now_us() + int(self.patience_seconds * 1e6)

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
        return await self._scripts.run(script, said.keys, head + said.words)


def _bytes(raw: Raw) -> bytes:
    return raw if isinstance(raw, bytes) else b""


def _final(answer: list[Raw]) -> list[Raw]:
    if answer[0] == _BEYOND_THE_CALENDAR:
        raise StoreUnavailable("The store's clock leaps from window to window.", kind="clock")
    return answer


def _this_machines_clock_us() -> int:
    return time.time_ns() // 1000

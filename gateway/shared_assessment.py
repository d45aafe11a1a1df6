"""Several processes that watch together, as one.

Every replica gives its sightings to the one that leads; it alone weighs them, in one order, with
the same engine as a process by itself, and puts what follows on a board that all read. A verdict
reaches every replica within a second and is then looked up in process. Who leads holds a lease:
when it is gone another one takes over, with the verdicts on the board; the evidence that had not
become one begins anew.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping

from gateway.assessment import WAITING, Assessment, Heard
from gateway.behaviour.codec import (
    Unreadable,
    case_bytes,
    flagged_bytes,
    read_batch,
    read_case,
    read_flagged,
    sighting_batch,
)
from gateway.behaviour.port import Exchange
from gateway.behaviour.sighting import Sighting
from gateway.behaviour.watch import Watch
from gateway.errors import StoreUnavailable
from gateway.facts.catalog import Facts

_log = logging.getLogger(__name__)

EVERY_S = 0.1
"""How often sightings are given away and the board is looked at."""

LEASE_S = 3.0
BATCH = 256
PULLED = 64
"""Batches at once."""

POSITION = "position"
"""On the board: up to where the sightings are weighed."""

_GROUP, _CASE = "g:", "c:"


class SharedAssessment(Assessment):
    """Of one of several processes. For one event loop."""

    def __init__(
        self,
        watch: Watch,
        exchange: Exchange,
        replica: str,
        heard: Heard | None = None,
        *,
        reads_prompts: bool = False,
    ) -> None:
        super().__init__(watch, heard, reads_prompts=reads_prompts)
        self._exchange = exchange
        self._replica = replica
        self._outbox: deque[Sighting] = deque()
        self._leads_until = 0.0
        self._weighed = "0"
        self._known = ""
        """Up to where the board's changes are known here; empty: not at all."""

    @property
    def leads(self) -> bool:
        return asyncio.get_running_loop().time() < self._leads_until

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Exchange while the block runs."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            with contextlib.suppress(StoreUnavailable):
                await self._give()

    async def _work(self) -> None:
        while True:
            try:
                await self.turn()
            except StoreUnavailable:
                self._known = ""  # whatever was missed is read again
            except Exception as error:  # noqa: BLE001  told by type alone: values are callers'
                _log.error("assessment: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def turn(self) -> None:
        """Give, weigh if this one leads, and look at the board. Raises `StoreUnavailable`."""
        await self._give()
        await self._lead_or_follow()

    def _record(self, facts: Facts) -> None:
        """In the place of weighing: who leads does it."""
        seen = self._sighting(facts)
        if not self.leads and not seen.answered:
            self.watch.recorder.remember(seen)
        if len(self._outbox) >= WAITING:
            self.dropped += 1
            return
        self._outbox.append(seen)

    async def _give(self) -> None:
        self.settle()
        watch = self.watch
        while self._outbox:
            batch = [self._outbox.popleft() for _ in range(min(BATCH, len(self._outbox)))]
            encoded = sighting_batch(
                watch.behaviours.digest, batch, watch.sight.hidden, watch.hash64
            )
            try:
                await self._exchange.push(encoded)
            except StoreUnavailable:
                self.dropped += len(batch)
                raise

    async def _lead_or_follow(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._known:
            await self._read_board()
        led = self.leads
        if loop.time() > self._leads_until - LEASE_S / 2:
            asked_at = loop.time()
            if await self._exchange.lead(self._replica, LEASE_S):
                self._leads_until = asked_at + LEASE_S
        if not self.leads:
            await self._follow()
            return
        if not led:
            await self._follow()  # what the one before has put there last
        await self._weigh()

    async def _weigh(self) -> None:
        watch = self.watch
        for place, encoded in await self._exchange.pull(self._weighed, PULLED):
            self._weighed = place
            try:
                digest, sightings = read_batch(encoded)
            except Unreadable:
                continue
            if digest != watch.behaviours.digest:
                self.dropped += len(sightings)  # seen by other policies, for a moment of a reload
                continue
            for seen in sightings:
                self.weigh(seen)
            await asyncio.sleep(0)
        await self._post()

    async def _post(self) -> None:
        board = self.watch.board
        groups, cases = board.changed_groups, board.changed_cases
        if not groups and not cases:
            return
        changed: dict[str, bytes | None] = {POSITION: self._weighed.encode()}
        for key in groups:
            flagged = board.groups.get(key)
            changed[f"{_GROUP}{key:016x}"] = None if flagged is None else flagged_bytes(flagged)
        for account in cases:
            case = board.cases.get(account)
            changed[f"{_CASE}{account:016x}"] = None if case is None else case_bytes(case)
        await self._exchange.post(changed)
        groups.clear()
        cases.clear()

    async def _follow(self) -> None:
        self._known, changed = await self._exchange.changes(self._known)
        self._put(changed)

    async def _read_board(self) -> None:
        self._known, everything = await self._exchange.board()
        self._put(everything)

    def _put(self, changed: Mapping[str, bytes | None]) -> None:
        board = self.watch.board
        for name, encoded in changed.items():
            if name == POSITION:
                self._weighed = encoded.decode() if encoded else self._weighed
                continue
            kind, key = name[:2], int.from_bytes(bytes.fromhex(name[2:]))
            try:
                if kind == _GROUP:
                    board.groups.pop(key, None)
                    if encoded is not None:
                        board.groups[key] = read_flagged(encoded)
                elif kind == _CASE:
                    board.cases.pop(key, None)
                    if encoded is not None:
                        board.cases[key] = read_case(encoded)
            except Unreadable:
                continue
        self.watch.recorder.fleets = board.likenesses()

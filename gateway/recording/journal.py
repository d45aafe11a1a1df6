"""A recording of this process: hears of everything, and gives it to the writer as lines.

Their order is that in which the store did things, and their moments are the store's clock. Where
it was not asked, its clock is guessed, never earlier than the line before and rather too early than
too late: by their moments the lines of several gaugers are put into one order.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from time import monotonic_ns

import gateway
from gateway.decision.finished import Ending, Finished
from gateway.decision.hand import UNTOUCHED
from gateway.decision.outcome import Decision
from gateway.decision.port import Reserved, StoreState
from gateway.decision.settlement import Delivered
from gateway.errors import SettingsError
from gateway.facts.catalog import Facts
from gateway.facts.refusal import Refusal
from gateway.facts.usage import Usage
from gateway.recording.lines import Decided, Line, Rejected, encode, moment
from gateway.recording.rotation import Rotation
from gateway.recording.writer import Writer
from gateway.replay.events import (
    Begin,
    Dropped,
    Ended,
    FurtherSettled,
    InForce,
    MoreReserved,
    Renewed,
    StoreAway,
    WasReset,
)
from gateway.replay.record import recorded_usage
from gateway.replay.recorded_decision import waits_us

MOST_BODIES_BYTES = 1 << 26
"""Of requests that wait to be written. What comes beyond is recorded without its body."""


ON_THE_WAY_US = 1_000_000
"""No answer of a store is older than this when it comes: longer is not waited for."""

MEMORY = "memory"


class Recording:
    """A `decision.journal.Journal`; besides, what operators do and what no policy saw."""

    def __init__(
        self,
        path: Path,
        *,
        store: str,
        clock: Callable[[], int],
        pseudonym: Callable[[str], str],
        bodies: bool = False,
        size_bytes: int = 1 << 28,
        compress: bool = False,
        on_written: Callable[[int], None] = lambda _: None,
        on_lost: Callable[[str, int], None] = lambda _why, _count: None,
    ) -> None:
        """`store`: what kind it is. `clock` counts until the store has told its own.

        `bodies`: requests are kept, and names of end users too. `on_written` and `on_lost` are
        called by the writer's thread as well.
        """
        self._store = store
        self._bodies: dict[str, bytes] | None = {} if bodies else None
        self._held_bytes = 0
        self._run = secrets.token_hex(6)
        self._told = clock(), monotonic_ns()
        self._on_the_way_us = 0 if store == MEMORY else ON_THE_WAY_US
        self._latest_us = 0
        self._away = False
        self._started = False
        self._in_force = InForce(0.0, "", {})
        hidden = None if bodies else pseudonym
        self._path = path
        self._writer = Writer(
            Rotation(path, size_bytes=size_bytes, compress=compress),
            encode=lambda line: encode(line, hidden),
            head=self._head,
            missing=lambda count: Dropped(moment(self._latest_us), count),
            on_written=on_written,
            on_lost=on_lost,
        )

    def close(self) -> None:
        """Waits for the disk, for some seconds at most."""
        if self._started:
            self._writer.close()

    def policies_in_force(self, digest: str, texts: Mapping[str, str]) -> None:
        """The first time it begins the file. Raises `SettingsError` if that cannot be written."""
        self._in_force = InForce(moment(self._at_us(None)), digest, dict(texts))
        if self._started:
            self._writer.put(self._in_force)
            return
        try:
            self._writer.start()
        except OSError as error:
            raise SettingsError(f"record: {self._path}: {error.strerror}.") from error
        self._started = True

    def keep_body(self, exchange: str, body: bytes) -> None:
        """Until `exchange` is decided or over; only if bodies are kept at all."""
        if self._bodies is not None and self._held_bytes + len(body) <= MOST_BODIES_BYTES:
            self._bodies[exchange] = body
            self._held_bytes += len(body)

    def decided(
        self, exchange: str, facts: Facts, decision: Decision, reserved: Reserved | None
    ) -> None:
        at_us = self._at_us(reserved.at_us if reserved else None)
        if self._away and reserved is not None and reserved.state is StoreState.OK:
            self._away = False
        hand = reserved.hand if reserved else UNTOUCHED
        body = self._body_of(exchange)
        self._writer.put(Decided(exchange, at_us, facts, decision, hand, body))

    def extended(
        self, exchange: str, tokens: int, reserved: Reserved | None, refusal: Refusal | None
    ) -> None:
        at_us = self._at_us(reserved.at_us if reserved else None)
        self._writer.put(
            MoreReserved(
                moment(at_us),
                exchange,
                tokens,
                refusal.kind.value if refusal else None,
                waits_us(refusal),
                (reserved.state if reserved else StoreState.UNAVAILABLE).value,
                reserved.hand if reserved else UNTOUCHED,
            )
        )

    def renewed(self, exchange: str, at_us: int | None) -> None:
        self._writer.put(Renewed(moment(self._at_us(at_us)), exchange))

    def settled(
        self, exchange: str, usage: Usage, delivered: Delivered, at_us: int | None, parts: int
    ) -> None:
        self._writer.put(
            Ended(
                moment(self._at_us(at_us)),
                exchange,
                delivered.began,
                delivered.failed,
                delivered.output_tokens,
                delivered.aborted,
                delivered.status,
                recorded_usage(usage),
                parts,
            )
        )

    def settled_further(self, exchange: str, at_us: int | None) -> None:
        self._writer.put(FurtherSettled(moment(self._at_us(at_us)), exchange))

    def was_reset(self, account: str, meters: Collection[str]) -> None:
        self._writer.put(WasReset(moment(self._at_us(None)), account, tuple(sorted(meters))))

    def store_failed(self, kind: str) -> None:
        """Told once for each time that it is away."""
        if not self._away:
            self._away = True
            self._writer.put(StoreAway(moment(self._at_us(None)), kind))

    def finished(self, finished: Finished) -> None:
        """An exchange that is over; what was decided about it has been told before."""
        self._body_of(finished.request_id)
        principal, refusal = finished.principal, finished.refusal
        if finished.ending is Ending.REJECTED and principal and refusal:
            at_us = self._at_us(None)
            self._writer.put(
                Rejected(
                    finished.request_id,
                    at_us,
                    principal,
                    finished.method,
                    finished.path,
                    refusal.kind.value,
                )
            )

    def _head(self, part: int) -> Sequence[Line]:
        at = moment(self._latest_us)
        begin = Begin(at, self._run, part, self._store, gateway.__version__)
        return begin, InForce(at, self._in_force.digest, self._in_force.texts)

    def _body_of(self, exchange: str) -> bytes:
        body = self._bodies.pop(exchange, b"") if self._bodies else b""
        self._held_bytes -= len(body)
        return body

    def _at_us(self, told_us: int | None) -> int:
        """Of a line: the store's moment, or one that is not after any that it will yet tell."""
        if told_us:
            self._told = told_us, monotonic_ns()
            self._latest_us = told_us
        else:
            at_us, at_ns = self._told
            guessed_us = at_us + (monotonic_ns() - at_ns) // 1000 - self._on_the_way_us
            self._latest_us = max(self._latest_us, guessed_us)
        return self._latest_us

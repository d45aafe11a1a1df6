"""Traffic records from any number of files, in the order of time, without keeping them.

Each file must run forwards by itself, unless a live gauger wrote it. Files may overlap. One is kept
open only between its first record and its last, so that a thousand rotated files need few handles
at once.
"""

import heapq
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from gateway.replay.events import EVENT, AnyEvent, Begin, decode_event
from gateway.replay.record import Record, decode
from gateway.replay.traffic_source import TrafficSource
from gateway.source.problems import Problem, Problems

SHOWN = 20
"""Of the broken lines; the others are counted."""

_BYTE = re.compile(r" \(byte (\d+)\)$")


Line = Record | AnyEvent


class OnBroken(StrEnum):
    """What a line that is no record does."""

    STOP = "stop"
    SKIP = "skip"


class Traffic:
    """All records of all sources, once; and what was broken among them."""

    def __init__(
        self, sources: Sequence[TrafficSource], on_broken: OnBroken = OnBroken.STOP
    ) -> None:
        self._sources = sources
        self._on_broken = on_broken
        self._reading: _File | None = None
        self.broken = 0
        self.problems: list[Problem] = []
        """The first `SHOWN`."""

    def __iter__(self) -> Iterator[Line]:
        """Of records with the same time, those of the source that was named first are first.

        Raises `UnreadableTraffic`, and `Problems` where a line is broken and none may be.
        """
        if len(self._sources) > 1:
            yield from self._merged()
            return
        for source in self._sources:
            self._reading = _File(source, self)
            yield from self._reading

    def position_bytes(self) -> int:
        """How much has been read, in the bytes that lie on the disk."""
        return sum(source.position_bytes() for source in self._sources)

    def reject(self, message: str) -> None:
        """The record that was given last cannot be used after all."""
        if self._reading is not None:
            self.note(self._reading.problem(message))

    def note(self, problem: Problem) -> None:
        if self._on_broken is OnBroken.STOP:
            raise Problems([problem])
        self.broken += 1
        if len(self.problems) < SHOWN:
            self.problems.append(problem)

    def _merged(self) -> Iterator[Line]:
        files = [_File(source, self) for source in self._sources]
        waiting = [
            (at, number) for number, file in enumerate(files) if (at := file.begins()) is not None
        ]
        heapq.heapify(waiting)
        while waiting:
            file = files[waiting[0][1]]
            if file.next is not None:
                self._reading = file
                yield file.next
            file.advance()
            if file.next is None:
                heapq.heappop(waiting)
            else:
                heapq.heapreplace(waiting, (file.next.at, waiting[0][1]))


class _File:
    """One source, and where in it the reading is."""

    def __init__(self, source: TrafficSource, traffic: Traffic) -> None:
        self._source = source
        self._traffic = traffic
        self._records: Iterator[Line] | None = None
        self._line = 0
        self.next: Line | None = None

    def begins(self) -> float | None:
        """When its first record is; None if it has none. Leaves a file on the disk closed."""
        if not self._source.rereadable:
            self.advance()
            return None if self.next is None else self.next.at
        peek = Traffic([self._source], OnBroken.SKIP)
        first = next(iter(peek), None)
        if first is None:
            self.advance()  # tells what is broken in it
        return None if first is None else first.at

    def advance(self) -> None:
        if self._records is None:
            self._records = iter(self)
        self.next = next(self._records, None)

    def problem(self, message: str, column: int = 1) -> Problem:
        return self._source.problem(self._line, message, column)

    def __iter__(self) -> Iterator[Line]:
        latest, recording = (
            0.0,
            False,
        )  # whose order is the store's, also when its clock is set back
        record: Line
        for line in self._source.lines():
            self._line += 1
            try:
                record = decode_event(line) if line.startswith(EVENT) else decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if line.strip():
                    self._traffic.note(self._unreadable(error))
                continue
            if isinstance(record, Begin):
                recording = True
            if record.at < latest and not recording:
                self._traffic.note(
                    self.problem(
                        f"Time runs backwards: {record.at:.6f} after {latest:.6f}. Sort the lines "
                        'of this file by "at".'
                    )
                )
                continue
            latest = record.at
            yield record

    def _unreadable(self, error: Exception) -> Problem:
        """What msgspec says names types and fields, and repeats no value."""
        if isinstance(error, UnicodeDecodeError):
            return self.problem("This line is not UTF-8.")
        said = str(error)
        at = _BYTE.search(said)
        if at:
            return self.problem(f"{said[: at.start()]}.", int(at[1]) + 1)
        return self.problem(
            f"This is no traffic record: {said}. For its form see docs/backtest.md."
        )

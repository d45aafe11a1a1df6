"""The lines of a traffic file, plain or gzip, from the disk or standard input, piece by piece."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gateway.errors import OperatorError
from gateway.source.problems import Problem, Problems

STANDARD_INPUT = "-"

PIECE_BYTES = 1 << 20
LONGEST_LINE_BYTES = 1 << 28
"""A body of the largest size that gauger takes, with every byte written as an escape, fits in."""

_GZIP = b"\x1f\x8b"


class UnreadableTraffic(OperatorError):
    """A traffic file that cannot be opened at all."""


class TrafficSource:
    """One file. Opened when its lines are asked for."""

    def __init__(self, name: str) -> None:
        """`name` is a path, or `-`."""
        self.name = "<standard input>" if name == STANDARD_INPUT else name
        self.rereadable = name != STANDARD_INPUT
        self._path = Path(name)
        self._file: IO[bytes] | None = None

    def size_bytes(self) -> int | None:
        """As it lies on the disk, for a progress bar; None where nobody knows.

        Raises `UnreadableTraffic`, so that a wrong name is told before the first record is read.
        """
        if not self.rereadable:
            return None
        if self._path.is_dir():
            raise UnreadableTraffic(
                f"{self.name} is a directory. Name the traffic files: {self.name}/*.jsonl.gz"
            )
        try:
            found = self._path.stat()
        except OSError as error:
            raise UnreadableTraffic(f"{self.name}: {error.strerror}.") from error
        return found.st_size if self._path.is_file() else None

    def position_bytes(self) -> int:
        """How far it has been read, in the bytes of `size_bytes`."""
        file = self._file
        return 0 if file is None or file.closed else file.tell()

    def lines(self) -> Iterator[bytes]:
        """Raises `UnreadableTraffic`, and `Problems` where the file breaks off in the middle."""
        try:
            opened = self._open()
        except OSError as error:
            raise UnreadableTraffic(f"{self.name}: {error.strerror}.") from error
        if not self.rereadable:
            yield from self._lines_of(_inflated(opened))  # whoever opened it closes it
            return
        with opened as self._file:
            yield from self._lines_of(_inflated(opened))

    def problem(self, line: int, message: str, column: int = 1) -> Problem:
        """Without an excerpt: a line of traffic may hold a prompt."""
        return Problem(self.name, line, column, message)

    def _open(self) -> io.BufferedReader:
        if self.rereadable:
            return self._path.open("rb")
        given = sys.stdin.buffer
        return given if isinstance(given, io.BufferedReader) else io.BufferedReader(given)  # type: ignore[arg-type]  # any binary file can be read into a buffer

    def _lines_of(self, content: io.BufferedIOBase) -> Iterator[bytes]:
        number = 0
        rest: list[bytes] = []
        held_bytes = 0
        while piece := self._read(content, number):
            first, *more = piece.split(b"\n")
            rest.append(first)
            held_bytes += len(first)
            if held_bytes > LONGEST_LINE_BYTES:
                message = f"This line is longer than {LONGEST_LINE_BYTES:,} bytes."
                raise Problems([self.problem(number + 1, message)])
            if more:
                number += len(more)
                yield b"".join(rest)
                yield from more[:-1]
                rest = [more[-1]]
                held_bytes = len(more[-1])
        last = b"".join(rest)
        if last:
            yield last

    def _read(self, content: io.BufferedIOBase, lines_before: int) -> bytes:
        try:
            return content.read(PIECE_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            message = "The compressed file is damaged or cut off here; what came before was read."
            raise Problems([self.problem(lines_before + 1, message)]) from error
        except OSError as error:
            message = f"The file cannot be read on: {error.strerror}."
            raise Problems([self.problem(lines_before + 1, message)]) from error


def _inflated(file: io.BufferedReader) -> io.BufferedIOBase:
    """By its first bytes and not by its name: standard input has none."""
    return gzip.open(file) if file.peek(2)[:2] == _GZIP else file

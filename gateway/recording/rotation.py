"""The file that is written, and those that are full: `traffic.jsonl`, `traffic-000001.jsonl`, ...

Only who runs gauger may read them: they tell who asked, when, and how much.
"""

import gzip
import logging
import os
import re
import shutil
import threading
from pathlib import Path
from typing import BinaryIO

_log = logging.getLogger(__name__)

_ONLY_THE_OWNER = 0o600
_COPIED_AT_ONCE_BYTES = 1 << 20


class Rotation:
    """For one thread. Everything here may raise `OSError`."""

    def __init__(self, path: Path, *, size_bytes: int, compress: bool) -> None:
        """A file is closed once it holds `size_bytes`, and then compressed if that is asked for."""
        self.path = path
        self._size_bytes = size_bytes
        self._compress = compress
        self._file: BinaryIO | None = None
        self._held_bytes = 0
        self._compressing: threading.Thread | None = None

    @property
    def is_open(self) -> bool:
        return self._file is not None

    @property
    def is_full(self) -> bool:
        return self._held_bytes >= self._size_bytes

    def open(self) -> None:
        """A new one. What lies there from another run is kept under a number."""
        if self.path.exists() and self.path.stat().st_size:
            self._set_aside()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _ONLY_THE_OWNER)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._held_bytes = 0

    def write(self, lines: bytes) -> None:
        """All of it or nothing: where a disk is full no half of a line stays."""
        file = self._file
        if file is None:
            raise OSError("The file is not open.")
        written = 0
        try:
            while written < len(lines):
                written += file.write(lines[written:])
        except OSError:
            try:
                file.truncate(self._held_bytes)
                file.seek(self._held_bytes)
            except OSError:
                self.close()  # the next file begins anew; this one ends with half a line
            raise
        self._held_bytes += written

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def join(self, patience_s: float) -> None:
        """What is still being compressed. If that takes longer, it stays as it was."""
        if self._compressing is not None:
            self._compressing.join(patience_s)

    def _set_aside(self) -> None:
        closed = self._numbered(self._next_number())
        self.path.rename(closed)
        if self._compress:
            self.join(patience_s=0)
            self._compressing = threading.Thread(
                target=_compress, args=(closed,), name="gauger-record-gzip", daemon=True
            )
            self._compressing.start()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}-{number:06}{self.path.suffix}")

    def _next_number(self) -> int:
        ours = re.compile(
            rf"{re.escape(self.path.stem)}-(\d{{6,}}){re.escape(self.path.suffix)}(\.gz)?"
        )
        names = (ours.fullmatch(one.name) for one in self.path.parent.iterdir())
        return 1 + max((int(name[1]) for name in names if name), default=0)


def _compress(closed: Path) -> None:
    """The original goes last, so that nothing is lost if this is interrupted."""
    whole = closed.with_name(closed.name + ".gz")
    unfinished = closed.with_name(closed.name + ".part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _ONLY_THE_OWNER)
        with (
            closed.open("rb") as full,
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw) as packed,
        ):
            shutil.copyfileobj(full, packed, _COPIED_AT_ONCE_BYTES)
        unfinished.rename(whole)
        closed.unlink()
    except OSError as error:
        _log.warning("record: %s stays as it is: %s.", closed.name, error.strerror)

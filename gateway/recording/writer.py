"""Takes lines from the requests' way at once, and writes them in a thread of its own.

Nothing waits for a disk. What a disk does not take at the moment waits in the queue, and what comes
while that is full is lost: it is counted, and a line says how much is missing, at its place.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from gateway.recording.lines import LONGEST_LINE_BYTES, Line
from gateway.recording.rotation import Rotation

_log = logging.getLogger(__name__)

MOST_LINES: Final = 20_000
"""That wait. Some 40 MB; a disk that is silent for a second at 10,000 requests a second."""

WRITE_EVERY_S: Final = 0.05
TRY_AGAIN_S: Final = 1.0
"""After a disk has failed."""

AT_ONCE: Final = 1_000
STOP_S: Final = 5.0

_BATCH_BYTES: Final = 1 << 22


class Writer:
    """`put` is for the event loop; what is behind it belongs to the thread."""

    def __init__(
        self,
        rotation: Rotation,
        *,
        encode: Callable[[Line], bytes],
        head: Callable[[int], Sequence[Line]],
        missing: Callable[[int], Line],
        on_written: Callable[[int], None] = lambda _: None,
        on_lost: Callable[[str, int], None] = lambda _why, _count: None,
        most_lines: int = MOST_LINES,
    ) -> None:
        """`head`: with what the n-th file begins. `missing`: the line for so many lost ones.

        `on_lost` hears why (`queue`, `size`, `stop`) and how many; like `on_written` it is called
        by either thread.
        """
        self._rotation = rotation
        self._encode, self._head, self._missing = encode, head, missing
        self._on_written, self._on_lost = on_written, on_lost
        self._most_lines = most_lines
        self._waiting: deque[Line] = deque()
        self._overflowed = 0
        """Lines that had no room, since the last that had."""
        self._batch: list[bytes] = []
        """What is to be written next."""
        self._files = 0
        self._failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gauger-record", daemon=True)

    def start(self) -> None:
        """Raises `OSError` if the file cannot be opened or written."""
        self._begin_file()
        self._thread.start()

    def put(self, line: Line) -> None:
        """Never waits."""
        waiting = self._waiting
        if len(waiting) >= self._most_lines:
            self._overflowed += 1
            self._on_lost("queue", 1)
            return
        if self._overflowed:
            waiting.append(self._missing(self._overflowed))
            self._overflowed = 0
        waiting.append(line)

    def close(self) -> None:
        """Writes what waits, for `STOP_S` at most."""
        if self._overflowed:
            self._waiting.append(self._missing(self._overflowed))
            self._overflowed = 0
        self._stop.set()
        self._thread.join(STOP_S)
        if lost := len(self._waiting) + len(self._batch):
            self._on_lost("stop", lost)
            _log.error("record: %d lines could not be written before the end.", lost)

    def _run(self) -> None:
        while not self._stop.wait(TRY_AGAIN_S if self._failing else WRITE_EVERY_S):
            self._drain()
        self._drain()
        self._rotation.close()
        self._rotation.join(STOP_S)

    def _drain(self) -> None:
        while self._batch or self._waiting:
            if not self._batch:
                self._batch = self._next_batch()
            if not self._written(self._batch):
                return
            self._batch = []

    def _next_batch(self) -> list[bytes]:
        lines: list[bytes] = []
        size_bytes = 0
        while self._waiting and len(lines) < AT_ONCE and size_bytes < _BATCH_BYTES:
            lines.append(self._encoded(self._waiting.popleft()))
            size_bytes += len(lines[-1])
        return lines

    def _encoded(self, line: Line) -> bytes:
        """In the place of one that cannot be written at all, the line that says that it is lost."""
        try:
            encoded = self._encode(line)
        except Exception as error:  # noqa: BLE001  # a bug; the others are still written
            _log.error("record: a line could not be made, by a bug: %s", type(error).__name__)
            encoded = b""
        if 0 < len(encoded) <= LONGEST_LINE_BYTES:
            return encoded
        self._on_lost("size", 1)
        return self._encode(self._missing(1))

    def _written(self, lines: Sequence[bytes]) -> bool:
        try:
            if not self._rotation.is_open or self._rotation.is_full:
                self._begin_file()
            self._rotation.write(b"".join(lines))
        except OSError as error:
            if not self._failing:
                _log.error(
                    "record: %s cannot be written (%s); it is tried again, and the lines wait.",
                    self._rotation.path,
                    error.strerror,
                )
            self._failing = True
            return False
        if self._failing:
            _log.warning("record: %s is written again.", self._rotation.path)
        self._failing = False
        self._on_written(len(lines))
        return True

    def _begin_file(self) -> None:
        self._rotation.close()
        self._rotation.open()
        try:
            self._rotation.write(b"".join(map(self._encode, self._head(self._files))))
        except OSError:
            self._rotation.close()
            raise
        self._files += 1

"""What the server's clock shows, by one of our own that nobody sets. It is never ahead of it."""

import time
from collections.abc import Callable

_LASTING_US = 1_000_000
"""A clock that was set back is known again after so long; clocks drift apart by less than 1 us."""


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000


class ServerClock:
    """Learns from answers: each was made before it was read, and the quickest tells most."""

    def __init__(self, monotonic_us: Callable[[], int] = _monotonic_us) -> None:
        self._monotonic_us = monotonic_us
        self._ahead_us: int | None = None
        self._told_at_us = 0

    def told(self, at_us: int) -> None:
        """An answer that was just read was made at this moment of the server's."""
        here_us = self._monotonic_us()
        ahead_us, known_us = at_us - here_us, self._ahead_us
        if known_us is None or ahead_us > known_us or here_us - self._told_at_us > _LASTING_US:
            self._ahead_us, self._told_at_us = ahead_us, here_us

    def now_us(self) -> int:
        """The epoch, while nothing has been told."""
        return 0 if self._ahead_us is None else self._monotonic_us() + self._ahead_us

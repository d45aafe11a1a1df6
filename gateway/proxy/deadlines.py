"""One timer for a connection, whatever it waits for: moving a deadline is an assignment.

A timer that rings too early looks when the deadline now is and sleeps on, so a request that ends in
time has cancelled and started none.
"""

import asyncio
from collections.abc import Callable
from math import inf


class Deadline:
    """`passed` is called once for each deadline that was reached."""

    __slots__ = ("_at", "_loop", "_passed", "_rings_at", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._at = self._rings_at = inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """From now; it replaces the one before."""
        self._at = self._loop.time() + seconds
        if self._at < self._rings_at:
            self._arm()

    def clear(self) -> None:
        self._at = inf

    def stop(self) -> None:
        """For good: nothing keeps the connection alive any more."""
        self._at = inf
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = self._at
        self._timer = self._loop.call_at(self._at, self._ring)

    def _ring(self) -> None:
        self._rings_at = inf
        self._timer = None
        if self._loop.time() < self._at:
            if self._at != inf:
                self._arm()
            return
        self._at = inf
        self._passed()

"""The connections to one upstream, each in an httpx transport of its own: a lane.

httpx's own pool is not used as one, for three reasons that its source shows (httpcore 1.0.9). A
request that is cancelled while it queues, or between connecting and sending, leaves an entry that
counts against the limit for ever. A second cancellation interrupts the clean-up of the first, since
anyio's shield holds back only anyio's own cancellations. And it scans all its connections twice
per request. With one transport per connection, closing a lane closes its connection in any state.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable

import httpx


class Lanes:
    """Takes and gives back lanes; at most `max_connections` are out at once."""

    def __init__(
        self,
        new_lane: Callable[[], httpx.AsyncHTTPTransport],
        *,
        max_connections: int | None,
        keep_alive_s: float,
    ) -> None:
        self._new_lane = new_lane
        self._slots = asyncio.Semaphore(sys.maxsize if max_connections is None else max_connections)
        self._keep_alive_s = keep_alive_s
        self._idle: deque[tuple[float, httpx.AsyncHTTPTransport]] = deque()
        self._closed = False

    async def take(self, wait_s: float) -> httpx.AsyncHTTPTransport:
        """The lane used last, whose connection is the likeliest to live, or a new one.

        Raises `TimeoutError` if all are out for `wait_s`.
        """
        await self._close_idle(before=asyncio.get_running_loop().time() - self._keep_alive_s)
        async with asyncio.timeout(wait_s):
            await self._slots.acquire()
        return self._idle.pop()[1] if self._idle else self._new_lane()

    async def give_back(self, lane: httpx.AsyncHTTPTransport) -> None:
        """The lane may be used again: its answer was read to the end and nothing followed."""
        if self._closed:
            await self.discard(lane)
            return
        self._idle.append((asyncio.get_running_loop().time(), lane))
        self._slots.release()

    async def discard(self, lane: httpx.AsyncHTTPTransport) -> None:
        """Close the lane, whatever it is doing.

        The socket is closed before the first await: cancelling this call leaks nothing.
        """
        try:
            await lane.aclose()
        finally:
            self._slots.release()

    async def aclose(self) -> None:
        """Close the idle lanes; from now on none is kept."""
        self._closed = True
        await self._close_idle(before=float("inf"))

    async def _close_idle(self, *, before: float) -> None:
        while self._idle and self._idle[0][0] <= before:
            await self._idle.popleft()[1].aclose()

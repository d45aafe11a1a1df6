"""How many reservations are open, counted as often as that is cheap.

To count is to look at every partition of a store. Whoever scrapes each ten seconds must not make a
store of a million accounts do that each ten seconds: counting may take a thousandth of the time.
"""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.errors import StoreUnavailable

SHARE = 1_000
"""After a count that took a second, the next is a thousand seconds later."""

AT_MOST_S = 1.0
"""What was not counted by then is not known: Prometheus gives up a scrape after ten seconds."""


class Census:
    def __init__(self, count: Callable[[], Awaitable[int]], clock: Callable[[], float]) -> None:
        """`clock` gives seconds that only increase."""
        self._count, self._clock = count, clock
        self._known: int | None = None
        self._next_at_s = 0.0
        self._counting = asyncio.Lock()

    async def open_reservations(self) -> int | None:
        """As last counted; None if the store did not tell, or not in time."""
        async with self._counting:
            began_s = self._clock()
            if began_s >= self._next_at_s:
                self._known = None
                try:
                    async with asyncio.timeout(AT_MOST_S):
                        self._known = await self._count()
                except StoreUnavailable:
                    return None
                except TimeoutError:  # so many that the next try may wait, too
                    pass
                ended_s = self._clock()
                self._next_at_s = ended_s + (ended_s - began_s) * SHARE
        return self._known

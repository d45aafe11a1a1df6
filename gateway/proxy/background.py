"""Work that outlives its exchange: settlements, renewals, watchers of clients.

asyncio keeps only weak references to tasks, so a task that nobody holds may vanish. Here each is
held until it has ended, what it raised is logged by type and place, and shutdown can wait.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from gateway.proxy.fault import described

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Background:
    """Tasks in the care of one gateway."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    @property
    def pending(self) -> int:
        return len(self._tasks)

    async def wait(self) -> None:
        """Until nothing is pending, what is started meanwhile included."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def abandon(self) -> int:
        """Cancel what is pending; how many that were."""
        abandoned = list(self._tasks)
        for task in abandoned:
            task.cancel()
        return len(abandoned)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("background work failed: %s", described(error))

"""The pauses of an SDK between its attempts: noted, and skipped unless they are the point."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import anyio

LEAST_S = 0.05
"""Shorter sleeps are the business of an event loop, not of a retry."""

_sleep, _sleep_in_thread = asyncio.sleep, time.sleep


@dataclass(slots=True)
class Pauses:
    skipped: bool
    seconds: list[float] = field(default_factory=list)

    def noted(self, seconds: float) -> float:
        """How long to sleep really."""
        if seconds < LEAST_S:
            return seconds
        self.seconds.append(seconds)
        return 0.0 if self.skipped else seconds


_of_this_call: ContextVar[Pauses | None] = ContextVar("pauses", default=None)


@contextmanager
def pauses(*, skipped: bool) -> Iterator[Pauses]:
    """Those of whatever is awaited in the block, in this task or in tasks that begin in it."""
    noted = Pauses(skipped)
    token = _of_this_call.set(noted)
    try:
        yield noted
    finally:
        _of_this_call.reset(token)


async def _noting(delay: float, result: Any = None) -> Any:
    noted = _of_this_call.get()
    await _sleep(delay if noted is None else noted.noted(delay))
    return result


def _noting_in_thread(seconds: Any) -> None:
    noted = _of_this_call.get()
    _sleep_in_thread(seconds if noted is None else noted.noted(seconds))


def watch() -> None:
    """From now on, for this process. SDKs are imported afterwards."""
    asyncio.sleep = _noting
    anyio.sleep = _noting
    time.sleep = _noting_in_thread

"""What the scripted model API does with one request, told beforehand.

Nothing here waits for a time: whoever tells the story paces it, event by event, through a gate.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


class Gate:
    """Lock-step between a test and the model: event k is sent only once it was let through.

    Steps are counted from 0, the head of the answer; 1 is the first event (or the whole body).
    """

    def __init__(self) -> None:
        self._let = asyncio.Semaphore(0)
        self._is_open = False
        self._at = -1
        self._moved = asyncio.Condition()

    def let(self, steps: int) -> None:
        """That many more steps may be taken."""
        for _ in range(steps):
            self._let.release()

    def open(self) -> None:
        """From now on nothing waits."""
        self._is_open = True
        self._let.release()

    async def reached(self, step: int) -> None:
        """Returns once the model waits before this step, or is past it."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._at >= step)

    async def __call__(self, step: int) -> None:
        async with self._moved:
            self._at = step
            self._moved.notify_all()
        if not self._is_open:
            await self._let.acquire()
        if self._is_open:
            self._let.release()


async def ungated(_step: int) -> None:
    """Every step at once."""


def honest(usage: JsonObject) -> JsonObject | None:
    return usage


def silent(_usage: JsonObject) -> JsonObject | None:
    """Usage is left out, even where it was asked for."""
    return None


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: str
    """JSON; streamed in pieces of a few characters."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The model API's own error. `kind` is the dialect's word for it: `overloaded_error`."""

    kind: str
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. As it stands: words by the seed, sent at once, reported truly."""

    pieces: tuple[str, ...] | None = None
    """Text, one token each; None: as many words as the seed and the request say."""
    tool: ToolCall | None = None
    """Called instead of text."""
    gate: Callable[[int], Awaitable[None]] = ungated
    """Awaited before each step, see `Gate`. One that never returns hangs before the head."""
    status: int = 200
    fault: Fault | None = None
    """Answered with `status` in place of an answer, or in the middle of it: see `fault_after`."""
    fault_after: int | None = None
    """In a stream: that many events, then the fault as the dialect's error event, then an end."""
    truncate_after: int | None = None
    """The connection breaks after that many events; a plain answer breaks in its middle."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """These bytes in place of any answer, as whatever content type was expected."""
    report: Callable[[JsonObject], JsonObject | None] = honest
    """Makes what is reported of the true usage, in the dialect's own fields."""
    cached_tokens: int = 0
    """Of the input, at most all of it."""
    reasoning_tokens: int = 0
    """Written before the text, never shown, part of the output and of its ceiling; each choice."""


ANSWER = Script()
"""Well-behaved."""

"""Something happens to a piece of work in one of its waits, and the next time in the next."""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any


@types.coroutine
def interrupted(
    work: Coroutine[Any, Any, None], at: int, interrupt: Callable[[], object]
) -> Generator[Any, Any, int]:
    """Runs `work`, interrupts it in its wait number `at`, and returns how many it had."""
    waits = 0
    step: Callable[[], Any] = lambda: work.send(None)  # noqa: E731  # what to do next with `work`
    while True:
        try:
            awaited = step()
        except StopIteration:
            return waits
        waits += 1
        if waits == at:
            asyncio.get_running_loop().call_soon(interrupt)
        try:
            yield awaited
        except BaseException as error:  # noqa: BLE001  # passed into `work`, whatever it is
            thrown = error
            step = lambda: work.throw(thrown)  # noqa: B023, E731  # called before it changes
        else:
            step = lambda: work.send(None)  # noqa: E731

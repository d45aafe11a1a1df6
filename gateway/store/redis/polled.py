"""What most of several servers say."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from gateway.errors import StoreUnavailable
from gateway.store.redis.faults import unavailable

STRAGGLERS_SECONDS = 0.05
"""Who has not answered so long after most of them agree is not waited for. Not at all would be too
short: whoever leads a change knows of it before the others do."""

T = TypeVar("T")


async def votes(asked: Sequence[Coroutine[Any, Any, list[T]]], nothing: str) -> Counter[T]:
    """At least one. Who has no answer gives an empty list.

    Raises `StoreUnavailable`, of the kind `nothing` if all that answer know nothing.
    """
    waiting = {asyncio.create_task(one) for one in asked}
    found: Counter[T] = Counter()
    errors: list[StoreUnavailable] = []
    try:
        while waiting:
            agreed = any(2 * count > len(asked) for count in found.values())
            answered, waiting = await asyncio.wait(
                waiting,
                timeout=STRAGGLERS_SECONDS if agreed else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not answered:
                break
            for one in answered:
                try:
                    found.update(one.result())
                except StoreUnavailable as error:
                    errors.append(error)
    finally:
        for one in waiting:
            one.cancel()
        if waiting:
            await asyncio.wait(waiting)
    if not found:
        raise errors[0] if len(errors) == len(asked) else unavailable(nothing)
    return found

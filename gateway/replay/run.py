"""One pass over the traffic, for one set of policies or for two at once."""

from collections.abc import Awaitable, Callable, Sequence

from gateway.replay.engine import Side
from gateway.replay.principals import UnusableRecord
from gateway.replay.record import Record
from gateway.replay.traffic import Traffic

TELL_EVERY = 2_048
"""Records. Then whoever shows progress is told, and a Ctrl-C is heard."""


async def replay(
    traffic: Traffic, sides: Sequence[Side], tell: Callable[[int, int], Awaitable[None]]
) -> int:
    """How many exchanges there were. `tell` gets that, and the simulated time in microseconds.

    Sides that share an intake share what it reads of a record. Raises what reading raises, and
    `StoreUnavailable`.
    """
    intakes = list(dict.fromkeys(side.intake for side in sides))
    by_intake = [
        (at, side) for at, intake in enumerate(intakes) for side in sides if side.intake is intake
    ]
    exchanges = 0
    for record in traffic:
        at_us = record.at_us
        if not isinstance(record, Record):
            for side in sides:
                await side.follow(record)
            continue
        try:
            taken = [intake.take(record, at_us) for intake in intakes]
        except UnusableRecord as unusable:
            traffic.reject(str(unusable))
            continue
        for at, side in by_intake:
            await side.arrive(record, at_us, taken[at])
        exchanges += 1
        if exchanges % TELL_EVERY == 0:
            await tell(exchanges, at_us)
    for side in sides:
        await side.finish()
    return exchanges

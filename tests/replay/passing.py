"""One pass of records through the engine, over the memory store, inside a test."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.policy.quota import Policies
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Observer, Side
from gateway.replay.judged import Judged
from gateway.replay.record import Record, decode
from gateway.store.memory import MemoryStore


def read(of: Mapping[str, Any]) -> Record:
    return decode(json.dumps(of).encode())


def side(policies: Policies, observers: Iterable[Observer] = ()) -> Side:
    clock = SimulatedClock()
    return Side(policies, MemoryStore(clock), clock, observers)


async def passed(
    records: Iterable[Mapping[str, Any]], policies: Policies, observers: Iterable[Observer] = ()
) -> list[Judged]:
    """All decisions, after everything has come to its end."""
    one = side(policies, observers)
    judged = []
    for record in map(read, records):
        taken = one.intake.take(record, record.at_us)
        judged.append(await one.arrive(record, record.at_us, taken))
    await one.finish()
    return judged

"""A backtest over a real server decides what it decides in memory, and leaves nothing there."""

from collections.abc import Iterator

import pytest

from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.store.redis import RedisStore
from tests.parts.redis_servers import RedisServer, running
from tests.replay.passing import passed, read
from tests.replay.test_as_live import RULES, scripted


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running("valkey") as started:
        yield started


async def test_a_server_decides_what_memory_decides(server: RedisServer) -> None:
    records = scripted(7, 200)
    prefix, neighbour = server.fresh_prefix(), server.fresh_prefix()
    clock = SimulatedClock()
    store = RedisStore(server.url, clock=clock, prefix=prefix)
    other = RedisStore(server.url, clock=clock, prefix=neighbour)
    decided = []
    for target, count in ((store, len(records)), (other, 3)):
        side = Side(RULES, target, clock)
        for record in map(read, records[:count]):
            taken = side.intake.take(record, record.at_us)
            judged = await side.arrive(record, record.at_us, taken)
            if target is store:
                decided.append(judged.decision)
        await side.finish()
    assert decided == [judged.decision for judged in await passed(records, RULES)]
    assert server.dump(prefix)
    await store.forget()
    assert not server.dump(prefix)
    assert server.dump(neighbour)
    await other.forget()
    await store.aclose()
    await other.aclose()

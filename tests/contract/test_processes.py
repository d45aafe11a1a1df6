"""Four replicas in four processes, clocks hours apart, 200 clients, scripts flushed meanwhile.

The judge is a log of what each was admitted, by the server's clock; no counter of ours has a say.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.policy.quota import SECOND_US
from gateway.store.redis import RedisStore
from tests.contract.replica import CLIENTS, REQUESTS, RESERVED_TOKENS, SLOTS, TOKENS, WINDOW_US
from tests.parts.redis_servers import running

ROOT = Path(__file__).parents[2]
HOURS_APART = (-2, -1, 0, 1)
SECONDS = 12.0
FLUSH_EVERY_SECONDS = 0.2

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@dataclass(frozen=True, order=True)
class Admitted:
    at_us: int
    """By the server's clock."""
    before_us: int
    after_us: int
    """Around the call, by this machine's clock, which is the server's, too."""
    tokens: int
    over_us: int


def most_in_a_window(log: list[tuple[int, int]]) -> int:
    """Units in the fullest of all windows; the log is of moments and units, rising."""
    most = inside = first = 0
    for at_us, units in log:
        inside += units
        while log[first][0] <= at_us - WINDOW_US:
            inside -= log[first][1]
            first += 1
        most = max(most, inside)
    return most


def most_at_once(log: list[Admitted]) -> int:
    changes = sorted([(one.over_us, -1) for one in log] + [(one.at_us, 1) for one in log])
    most = held = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return most


async def run(url: str, hours: int) -> list[Admitted]:
    skew_us = hours * 3_600 * SECOND_US
    words = ("-m", "tests.contract.replica", url, str(skew_us), str(SECONDS))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return [
        Admitted(at_us, before_us, after_us, tokens, over_us)
        for before_us, at_us, after_us, tokens, over_us in map(json.loads, told.splitlines())
    ]


async def test_four_replicas_with_clocks_hours_apart_never_admit_more_than_the_limit() -> None:
    with running("valkey") as server, server.client() as client:
        replicas = [asyncio.create_task(run(server.url, hours)) for hours in HOURS_APART]
        flushes = 0
        while (await asyncio.wait(replicas, timeout=FLUSH_EVERY_SECONDS))[1]:
            client.script_flush()
            flushes += 1
        logs = [await replica for replica in replicas]
        looking = RedisStore(server.url)
        assert await looking.open_reservations() == 0
        await looking.aclose()
    log = sorted(one for admitted in logs for one in admitted)
    assert flushes >= SECONDS / FLUSH_EVERY_SECONDS / 2
    assert CLIENTS * len(logs) == 200
    assert all(len(admitted) > 0 for admitted in logs)
    assert all(one.before_us <= one.at_us <= one.after_us for one in log)
    windows = (log[-1].at_us - log[0].at_us) // WINDOW_US
    assert len(log) > windows * REQUESTS.amount // 2, "they were not held back for nothing"
    assert most_in_a_window([(one.at_us, 1) for one in log]) <= REQUESTS.amount
    assert most_in_a_window([(one.at_us, one.tokens) for one in log]) <= TOKENS.amount
    assert most_at_once(log) <= SLOTS.amount
    assert max(one.tokens for one in log) < RESERVED_TOKENS

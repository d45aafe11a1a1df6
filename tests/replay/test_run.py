import asyncio
from pathlib import Path

import pytest

from gateway.replay import run
from gateway.replay.run import replay
from gateway.replay.tally import Tally
from gateway.replay.traffic import OnBroken, Traffic
from gateway.replay.traffic_source import TrafficSource
from tests.parts.values import limit, policies, quota
from tests.replay.passing import side
from tests.replay.traffic_files import record, write


async def told_nothing(exchanges: int, at_us: int) -> None:
    del exchanges, at_us


async def test_two_sets_see_the_same_traffic_in_one_pass(tmp_path: Path) -> None:
    path = write(tmp_path / "traffic.jsonl", [record(at) for at in range(10)])
    tallies = Tally(), Tally()
    sides = [
        side(policies(quota(limit(amount))), [tally.note])
        for amount, tally in zip((2, 7), tallies, strict=True)
    ]
    traffic = Traffic([TrafficSource(str(path))])
    assert await replay(traffic, sides, told_nothing) == 10
    assert [row.refused for tally in tallies for row in tally.rows.values()] == [8, 3]


async def test_a_record_that_makes_no_exchange_is_a_broken_line(tmp_path: Path) -> None:
    odd = record(1, attributes={"created_at": "yesterday"})
    path = write(tmp_path / "traffic.jsonl", [record(0), odd, record(2)])
    traffic = Traffic([TrafficSource(str(path))], OnBroken.SKIP)
    assert await replay(traffic, [side(policies())], told_nothing) == 2
    assert [str(problem) for problem in traffic.problems] == [
        f'{path}:2:1: "created_at" is no number; write seconds since 1970.'
    ]


async def test_progress_is_told_and_a_stop_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "TELL_EVERY", 4)
    path = write(tmp_path / "traffic.jsonl", [record(at) for at in range(10)])
    told: list[int] = []

    async def tell(exchanges: int, at_us: int) -> None:
        del at_us
        told.append(exchanges)
        await asyncio.sleep(0)
        running.cancel()

    traffic = Traffic([TrafficSource(str(path))])
    running = asyncio.create_task(replay(traffic, [side(policies())], tell))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert told == [4, 8]

"""What an exchange leaves behind in the event loop: nothing."""

import asyncio
from pathlib import Path

import pytest

from tests.counts.stage import KEY, ONCE, whole

ENDED_S = 10.0


async def left_after(before: set[asyncio.Task[object]]) -> set[str]:
    """Tasks that do not end by themselves. Those that are about to are waited for."""
    new = asyncio.all_tasks() - before - {asyncio.current_task()}
    if new:
        _, left = await asyncio.wait(new, timeout=ENDED_S)
        return {str(task.get_coro()) for task in left}
    return set()


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_leaves_no_task(tmp_path: Path, *, stream: bool) -> None:
    async with whole(tmp_path) as gauger:
        before = asyncio.all_tasks()
        for _ in range(5):
            assert await gauger.ask(stream=stream) == 200
        assert await left_after(before) == set()


async def test_a_refusal_leaves_no_task(tmp_path: Path) -> None:
    async with whole(tmp_path, ONCE) as gauger:
        before = asyncio.all_tasks()
        assert await gauger.ask() == 429
        assert await left_after(before) == set()


async def test_a_client_that_leaves_in_a_stream_leaves_no_task(tmp_path: Path) -> None:
    async with whole(tmp_path) as gauger:
        before = asyncio.all_tasks()
        async with gauger.caller.stream(
            "POST",
            "/v1/chat/completions",
            headers={"Authorization": f"Bearer {KEY}"},
            json={"model": "demo-small", "stream": True, "messages": []},
        ) as answer:
            await anext(answer.aiter_raw())
        gauger.asked += 1
        await gauger.finished()
        assert await left_after(before) == set()

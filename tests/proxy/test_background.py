import asyncio
import logging

import pytest

from gateway.proxy.background import Background


async def test_waiting_covers_what_is_started_meanwhile() -> None:
    background = Background()
    done: list[str] = []

    async def second() -> None:
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        background.start(second())

    background.start(first())
    await background.wait()
    assert done == ["second"]
    assert background.pending == 0


async def test_what_fails_is_logged_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    background = Background()

    async def fails() -> None:
        raise ValueError("a prompt")

    with caplog.at_level(logging.ERROR):
        background.start(fails())
        await background.wait()
        await asyncio.sleep(0)
    assert "ValueError at" in caplog.text
    assert "a prompt" not in caplog.text


async def test_abandoning_cancels_and_counts() -> None:
    background = Background()
    task = background.start(asyncio.Event().wait())
    assert background.abandon() == 1
    await asyncio.wait({task})
    assert task.cancelled()

"""A cancellation, and a leaving client, at every single wait of an exchange in turn."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.decision.finished import Ending
from tests.parts.interrupted import interrupted
from tests.proxy.stage import (
    DONE,
    QUESTION,
    STREAMED,
    USAGE_CHUNK,
    Caller,
    Model,
    answering,
    chunk,
    stage,
    streaming,
)

MOST_WAITS = 60


def plain() -> tuple[Model, dict[str, Any]]:
    return answering(), {}


def streamed() -> tuple[Model, dict[str, Any]]:
    return streaming(chunk("Hello"), USAGE_CHUNK, DONE), {"body": STREAMED}


def outgrowing() -> tuple[Model, dict[str, Any]]:
    """Once while the stream flows on, once while it waits."""
    endless = {name: QUESTION[name] for name in ("model", "messages")} | {"stream": True}
    pieces = [chunk("w" * 4_000), chunk("w" * 8_000), USAGE_CHUNK, DONE]
    return streaming(*pieces), {"body": endless}


def refused_by_upstream() -> tuple[Model, dict[str, Any]]:
    return answering(b"{}", status=503), {}


@pytest.mark.parametrize("leaves", [False, True], ids=["cancelled", "client leaves"])
@pytest.mark.parametrize("scene", [plain, streamed, outgrowing, refused_by_upstream])
async def test_an_interruption_at_any_wait_leaves_nothing_reserved(
    scene: Callable[[], tuple[Model, dict[str, Any]]], *, leaves: bool
) -> None:
    endings: set[Ending] = set()
    for at in range(1, MOST_WAITS):
        model, how = scene()
        on = stage(model)
        caller = Caller(on.gateway, **how)

        async def run(caller: Caller = caller, at: int = at, gateway: Any = on.gateway) -> int:
            task = asyncio.current_task()
            assert task is not None
            work = gateway(caller.scope, caller.receive, caller.send)
            return await interrupted(work, at, caller.leave if leaves else task.cancel)

        running = asyncio.create_task(run())
        await asyncio.wait({running})
        await on.rest()

        assert await on.store.open_reservations() == 0
        assert sorted(one for one, _ in on.store.settled) == sorted(on.store.reserved)
        assert len(on.store.reserved) <= (4 if scene is outgrowing else 1)
        endings.add(on.finished.ending)
        if leaves:
            assert not running.cancelled()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, "every task of the exchange has ended"
        if not running.cancelled() and running.result() < at:
            break
    else:
        pytest.fail("the exchange never ran to its end undisturbed")
    assert endings == {Ending.COMPLETED, Ending.CLIENT_LEFT if leaves else Ending.SHUT_DOWN}


async def test_a_shutdown_that_meets_a_leaving_client_is_still_a_cancellation() -> None:
    on = stage(streaming(chunk("Hello"), then=asyncio.Event().wait))  # type: ignore[arg-type]
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await on.model.called.wait()
    caller.leave()
    running.cancel()
    await asyncio.wait({running})
    await on.rest()
    assert running.cancelled()
    assert await on.store.open_reservations() == 0


async def test_an_exchange_whose_client_left_leaves_its_task_uncancelled() -> None:
    on = stage(streaming(chunk("Hello"), then=asyncio.Event().wait))  # type: ignore[arg-type]
    caller = Caller(on.gateway, body=STREAMED)

    async def several() -> int:
        watcher = asyncio.create_task(on.model.called.wait())
        watcher.add_done_callback(lambda _: caller.leave())
        await caller.run()
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert await asyncio.create_task(several()) == 0
    await on.rest()

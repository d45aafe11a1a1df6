import asyncio

import pytest

from gateway.errors import ClientLeft
from gateway.proxy.asgi import Message
from gateway.proxy.background import Background
from gateway.proxy.departure import ClientWatch


class Client:
    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.background = Background()
        self.watch = ClientWatch(self.receive, self.background)

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    client = Client()

    async def work() -> None:
        async with client.watch:
            client.left.set()
            await asyncio.Event().wait()

    with pytest.raises(ClientLeft):
        await work()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_work_that_swallows_its_cancellation_still_ends_as_a_departure() -> None:
    client = Client()
    cut_short: list[bool] = []

    async def work() -> None:
        async with client.watch:
            client.left.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cut_short.append(True)

    with pytest.raises(ClientLeft):
        await work()
    assert cut_short == [True]


async def test_an_error_that_the_departure_causes_is_a_departure() -> None:
    client = Client()

    async def work() -> None:
        async with client.watch:
            client.left.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ValueError from None

    with pytest.raises(ClientLeft) as left:
        await work()
    assert isinstance(left.value.__cause__, ValueError)


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    client = Client()
    entered = asyncio.Event()

    async def work() -> None:
        async with client.watch:
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_after_the_end_nobody_leaves_too_early() -> None:
    client = Client()
    async with client.watch:
        client.watch.stop()
        client.left.set()
        await client.background.wait()
    assert (await client.watch.departure())["type"] == "http.disconnect"


async def test_the_watcher_ends_with_the_work() -> None:
    client = Client()
    async with client.watch:
        pass
    await client.background.wait()
    assert client.background.pending == 0

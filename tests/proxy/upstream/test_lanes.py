import asyncio

import httpx
import pytest

from gateway.proxy.upstream.lanes import Lanes


class Lane(httpx.AsyncHTTPTransport):
    """Notes that it was closed, with an await after it as the real one has."""

    closed = False

    async def aclose(self) -> None:
        self.closed = True
        await asyncio.sleep(0)


def lanes(max_connections: int | None = None, keep_alive_s: float = 60.0) -> Lanes:
    return Lanes(Lane, max_connections=max_connections, keep_alive_s=keep_alive_s)


async def test_the_lane_used_last_is_taken_first() -> None:
    some = lanes()
    first, second = await some.take(1), await some.take(1)
    await some.give_back(second)
    await some.give_back(first)
    assert await some.take(1) is first
    assert await some.take(1) is second


async def test_a_discarded_lane_is_closed_and_its_slot_free() -> None:
    some = lanes(max_connections=1)
    lane = await some.take(1)
    await some.discard(lane)
    assert isinstance(lane, Lane)
    assert lane.closed
    assert await some.take(1) is not lane


async def test_a_discard_that_is_cancelled_still_frees_the_slot() -> None:
    some = lanes(max_connections=1)
    lane = await some.take(1)
    discarding = asyncio.create_task(some.discard(lane))
    await asyncio.sleep(0)
    discarding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await discarding
    assert isinstance(lane, Lane)
    assert lane.closed
    await some.take(1)


async def test_waiting_for_a_slot_has_an_end() -> None:
    some = lanes(max_connections=1)
    await some.take(1)
    with pytest.raises(TimeoutError):
        await some.take(0.01)


async def test_lanes_that_were_idle_too_long_are_closed_at_the_next_take() -> None:
    some = lanes(keep_alive_s=0.0)
    old = [await some.take(1) for _ in range(3)]
    for lane in old:
        await some.give_back(lane)
    assert await some.take(1) not in old
    assert all(isinstance(lane, Lane) and lane.closed for lane in old)


async def test_after_closing_nothing_is_kept() -> None:
    some = lanes()
    idle, out = await some.take(1), await some.take(1)
    await some.give_back(idle)
    await some.aclose()
    await some.give_back(out)
    assert isinstance(idle, Lane)
    assert isinstance(out, Lane)
    assert idle.closed
    assert out.closed

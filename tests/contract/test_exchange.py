"""What processes share that watch together: in memory and in real servers alike."""

from collections.abc import AsyncIterator, Callable

import pytest

from gateway.behaviour.port import Exchange
from gateway.store.redis.exchange import RedisExchange
from gateway.store.redis.link import Link
from tests.parts.memory_exchange import MemoryExchange
from tests.parts.redis_servers import KINDS, RedisServer


@pytest.fixture(params=("memory", *KINDS))
async def exchange(
    request: pytest.FixtureRequest, servers: Callable[[str], RedisServer]
) -> AsyncIterator[Exchange]:
    if request.param == "memory":
        yield MemoryExchange()
        return
    server = servers(request.param)
    link = Link(server.url, timeout_seconds=10)
    yield RedisExchange(link, server.fresh_prefix())
    await link.aclose()


async def test_batches_are_pulled_in_their_order_and_from_a_place_on(exchange: Exchange) -> None:
    for batch in (b"one", b"two", b"three"):
        await exchange.push(batch)
    pulled = await exchange.pull("0", 2)
    assert [batch for _, batch in pulled] == [b"one", b"two"]
    assert [batch for _, batch in await exchange.pull(pulled[-1][0], 9)] == [b"three"]


async def test_one_leads_and_goes_on_leading(exchange: Exchange) -> None:
    assert await exchange.lead("a", 30)
    assert not await exchange.lead("b", 30)
    assert await exchange.lead("a", 30)


async def test_a_board_holds_what_was_posted_last(exchange: Exchange) -> None:
    await exchange.post({"g:1": b"flag", "c:2": b"case"})
    await exchange.post({"g:1": None, "c:2": b"other"})
    _, board = await exchange.board()
    assert dict(board) == {"c:2": b"other"}


async def test_who_read_the_board_is_told_of_every_change_since(exchange: Exchange) -> None:
    await exchange.post({"g:1": b"flag"})
    place, _ = await exchange.board()
    await exchange.post({"g:2": b"flag"})
    await exchange.post({"g:1": None})
    place, changed = await exchange.changes(place)
    assert dict(changed) == {"g:2": b"flag", "g:1": None}
    assert dict((await exchange.changes(place))[1]) == {}


async def test_an_empty_exchange_tells_nothing(exchange: Exchange) -> None:
    place, board = await exchange.board()
    assert not board
    assert not (await exchange.changes(place))[1]
    assert not await exchange.pull("0", 5)

import asyncio
import json
import logging

import pytest

from gateway.decision.finished import Ending
from gateway.facts.refusal import RefusalKind
from gateway.policy.quota import SECOND_US
from gateway.proxy.asgi import Message, Receive, Scope, Send
from gateway.proxy.edge import EdgeLimits
from tests.proxy.stage import STREAMED, Caller, answering, forever, stage, streaming


async def test_a_websocket_is_refused_before_its_handshake() -> None:
    on = stage(answering())
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await on.gateway({"type": "websocket", "path": "/v1/realtime"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert on.model.scopes == []


async def test_the_lifespan_passes_by_to_the_app_inside() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        seen.append(scope["type"])

    on = stage(app)  # type: ignore[arg-type]  # any app will do
    caller = Caller(on.gateway)
    await on.gateway({"type": "lifespan"}, caller.receive, caller.send)
    assert seen == ["lifespan"]


async def test_draining_waits_for_living_exchanges_and_their_settlements() -> None:
    on = stage(streaming(then=forever))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await caller.next()
    draining = asyncio.create_task(on.gateway.drain(5.0))
    await asyncio.sleep(0)
    assert not draining.done()
    caller.leave()
    assert await draining is True
    assert running.done()
    assert await on.store.open_reservations() == 0


async def test_draining_gives_up_loudly(caplog: pytest.LogCaptureFixture) -> None:
    on = stage(streaming(then=forever))
    caller = Caller(on.gateway, body=STREAMED)
    running = caller.start()
    await caller.next()
    with caplog.at_level(logging.ERROR):
        assert await on.gateway.drain(0.0) is False
    assert "1 exchanges" in caplog.text
    running.cancel()
    await asyncio.wait({running})
    await on.rest()


async def test_an_idle_gateway_drains_at_once() -> None:
    assert await stage(answering()).gateway.drain(0.0) is True


async def test_draining_waits_for_a_request_that_is_still_being_read() -> None:
    on = stage(answering())
    caller = Caller(on.gateway, pieces=[])
    running = caller.start()
    await asyncio.sleep(0)
    draining = asyncio.create_task(on.gateway.drain(5.0))
    await asyncio.sleep(0)
    assert not draining.done()
    caller.leave()
    assert await draining is True
    assert running.done()


async def test_a_ring_of_gateways_ends_where_it_began() -> None:
    on = stage(answering())
    first = await Caller(on.gateway).run()
    await on.rest()
    (forwarded,) = on.model.scopes
    named = [(n, v) for n, v in forwarded["headers"] if n == b"via"]
    again = await Caller(on.gateway, more_headers=[(b"via", b"1.1 other"), *named]).run()
    await on.rest()
    other = stage(answering())
    elsewhere = await Caller(other.gateway, more_headers=named).run()
    await other.rest()
    assert (first.status, again.status, elsewhere.status) == (200, 400, 200)
    assert b"in a ring" in again.body
    assert len(on.model.scopes) == 1


async def test_one_more_than_there_is_room_for_is_turned_away_and_costs_nothing() -> None:
    on = stage(streaming(then=forever), limits=EdgeLimits(exchanges=1))
    first = Caller(on.gateway, body=STREAMED)
    running = first.start()
    await first.next()
    second = await Caller(on.gateway).run()
    assert second.status == 503
    assert second.headers[b"retry-after"] == b"1"
    assert second.headers[b"connection"] == b"close"  # its body was not read
    assert json.loads(second.body)["error"]["code"] == "gateway_overloaded"
    assert len(on.store.reserved) == 1
    turned_away = on.told.finished[0]
    assert turned_away.refusal is not None
    assert (turned_away.refusal.kind, turned_away.ending) == (
        RefusalKind.OVERLOADED,
        Ending.REJECTED,
    )
    first.leave()
    await running
    on.model._script = answering()._script
    assert (await Caller(on.gateway).run()).status == 200
    await on.rest()


async def test_each_dialect_says_that_there_is_no_room_in_its_own_words() -> None:
    on = stage(answering(), limits=EdgeLimits(exchanges=0, retry_jitter_us=SECOND_US))
    told = await Caller(on.gateway, path="/v1/messages").run()
    assert told.status == 529
    assert json.loads(told.body)["error"]["type"] == "overloaded_error"
    assert told.headers[b"retry-after"] == b"2"
    assert "Retry in 2 s." in json.loads(told.body)["error"]["message"]
    gemini = await Caller(on.gateway, path="/v1beta/models/m:generateContent").run()
    assert gemini.status == 503


async def test_whoever_is_being_turned_away_takes_nobodys_room() -> None:
    on = stage(answering(), limits=EdgeLimits(exchanges=1))
    slow = Caller(on.gateway, pieces=[b"{"])
    reading = slow.start()
    stuck = asyncio.Event()
    turned_away = Caller(on.gateway)

    async def never(message: Message) -> None:
        del message
        stuck.set()
        await forever()

    telling = asyncio.create_task(on.gateway(turned_away.scope, turned_away.receive, never))
    await stuck.wait()
    slow.leave()
    await reading
    assert (await Caller(on.gateway).run()).status == 200
    telling.cancel()
    await asyncio.wait({telling})
    await on.rest()

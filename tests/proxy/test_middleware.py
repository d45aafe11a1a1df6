import asyncio
import logging

import pytest

from gateway.proxy.asgi import Message, Receive, Scope, Send
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

import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from gateway.proxy.app import ProxyApp
from gateway.proxy.asgi import Message
from tests.proxy.stage import Caller, Stage, answering, stage


def app_on(on: Stage, *, ready: bool = True, lifespan: object = contextlib.nullcontext) -> ProxyApp:
    async def is_ready() -> bool:
        return ready

    return ProxyApp(on.gateway, ready=is_ready, lifespan=lifespan)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "ready", "status", "word"),
    [
        ("/healthz", True, 200, "ok"),
        ("/healthz", False, 200, "ok"),
        ("/readyz", True, 200, "ready"),
        ("/readyz", False, 503, "not ready"),
    ],
)
async def test_health_is_told_without_a_key(
    path: str, status: int, word: str, *, ready: bool
) -> None:
    app = app_on(stage(answering()), ready=ready)
    caller = await Caller(app, method="GET", path=path, headers=[], body=b"").run()
    assert (caller.status, json.loads(caller.body)) == (status, {"status": word})


async def test_a_readiness_that_cannot_be_told_is_none() -> None:
    async def fails() -> bool:
        raise RuntimeError

    app = ProxyApp(stage(answering()).gateway, ready=fails, lifespan=contextlib.nullcontext)
    caller = await Caller(app, method="GET", path="/readyz", headers=[], body=b"").run()
    assert caller.status == 503


async def test_everything_else_is_the_gateways() -> None:
    on = stage(answering())
    app = app_on(on)
    assert (await Caller(app).run()).status == 200
    assert (await Caller(app, method="POST", path="/healthz").run()).status == 404
    await on.rest()


async def test_a_websocket_is_refused() -> None:
    sent = await conversing(app_on(stage(answering())), "websocket", ["websocket.connect"])
    assert sent == ["websocket.close"]


async def conversing(app: ProxyApp, kind: str, told: list[str]) -> list[str]:
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": told.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app({"type": kind}, receive, send)
    return sent


LIFE = ["lifespan.startup", "lifespan.shutdown"]


async def test_the_lifespan_is_left_after_the_last_settlement() -> None:
    on = stage(answering())
    story: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        story.append("entered")
        await Caller(on.gateway).run()
        assert on.store.settled == []
        yield
        story.append(f"left with {len(on.store.settled)} settled")

    sent = await conversing(app_on(on, lifespan=lifespan), "lifespan", list(LIFE))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert story == ["entered", "left with 1 settled"]


@pytest.mark.parametrize("late", [False, True])
async def test_a_lifespan_that_fails_is_told(*, late: bool) -> None:
    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if late:
            yield
        raise RuntimeError

    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    told = list(LIFE)

    async def receive() -> Message:
        return {"type": told.pop(0)}

    with pytest.raises(RuntimeError):
        await app_on(stage(answering()), lifespan=lifespan)({"type": "lifespan"}, receive, send)
    assert sent[-1] == ("lifespan.shutdown.failed" if late else "lifespan.startup.failed")

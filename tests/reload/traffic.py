"""A whole gauger in the test's own loop, before a model API that answers when the test lets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.proxy.asgi import Receive, Scope, Send
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.parts.serving import serving

KEY = "sk-a-key-of-the-reload-tests"
ADMIN = {"X-Gauger-Admin": "1"}
ARRIVED_S = 20.0


class Model:
    """Answers with a usage of 2 and 3 tokens; while it is held, only once it is let."""

    def __init__(self) -> None:
        self.arrived = 0
        self._arrival = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> asyncio.Event:
        """Whoever comes from now on waits for this."""
        self._open = asyncio.Event()
        return self._open

    async def until_arrived(self, count: int) -> None:
        async with asyncio.timeout(ARRIVED_S):
            while self.arrived < count:
                self._arrival.clear()
                await self._arrival.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body", False):
            pass
        held = self._open
        self.arrived += 1
        self._arrival.set()
        await held.wait()
        usage = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}}
        answer = {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}
        body = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def ask(
    caller: httpx.AsyncClient, url: str, *, key: str = KEY, max_tokens: int = 5
) -> httpx.Response:
    """One plain chat."""
    return await caller.post(
        f"{url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {key}"},
        json={
            "model": "small",
            "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": "Hi"}],
        },
    )


@dataclass(slots=True)
class Scene:
    model: Model
    inside: GaugerInside
    callers: httpx.AsyncClient
    operators: httpx.AsyncClient

    async def ask(self, *, key: str = KEY, max_tokens: int = 5) -> httpx.Response:
        return await ask(self.callers, self.inside.url, key=key, max_tokens=max_tokens)

    async def statuses(self, count: int, **of: Any) -> list[int]:
        return [(await self.ask(**of)).status_code for _ in range(count)]

    async def reload(self) -> httpx.Response:
        return await self.operators.post("/reload", headers=ADMIN)

    async def metric(self, series: str) -> str | None:
        """The value of a series as Prometheus would see it."""
        lines = (await self.operators.get("/metrics")).text.splitlines()
        values = [line.rpartition(" ") for line in lines]
        return next((value for name, _, value in values if name == series), None)


@asynccontextmanager
async def scene(policies: Path, **settings: Any) -> AsyncIterator[Scene]:
    """`settings` are fields of `Settings`."""
    model = Model()
    async with AsyncExitStack() as open_parts:
        enter = open_parts.enter_async_context
        upstream = await enter(serving(model))
        inside = await enter(gauger_inside(policies, upstream, **settings))
        callers, operators = [
            await enter(httpx.AsyncClient(base_url=url, trust_env=False, timeout=30.0))
            for url in (inside.url, inside.admin_url)
        ]
        yield Scene(model, inside, callers, operators)

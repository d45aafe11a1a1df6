"""A whole gauger on a real Valkey, and what one exchange makes it do.

The figures that these tests assert are those of `gateway.demo.model_api` behind three quotas with
four limits, so that a figure that grows with the limits shows.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.decision.finished import Finished
from gateway.demo.model_api import ModelApi
from gateway.proxy.asgi import Receive, Scope, Send
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.parts.redis_servers import RedisServer, running
from tests.parts.serving import serving

KEY = "sk-a-key-of-the-counts"

GENEROUS = """
quotas:
  - id: requests
    why: Never reached here.
    limit: [10000 requests/minute, 1M requests/day]
    per: account
  - id: tokens
    why: Never reached here.
    limit: 100M tokens/day
    per: account
  - id: in-flight
    why: Never reached here.
    limit: 100 concurrent
    per: account
"""

ONE_LIMIT = """
quotas:
  - id: requests
    why: Never reached here.
    limit: 10000 requests/minute
    per: account
"""

ONCE = GENEROUS.replace("1M requests/day", "1 requests/day")
"""The exchange that warms the gauger is admitted, and each after it is refused."""


class Model(ModelApi):
    """Counts who connects."""

    def __init__(self) -> None:
        super().__init__()
        self.connections: set[Any] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.connections.add(tuple(scope["client"]))
        await super().__call__(scope, receive, send)


@dataclass(slots=True)
class Whole:
    model: Model
    inside: GaugerInside
    valkey: RedisServer
    caller: httpx.AsyncClient
    asked: int = field(default=0)

    async def ask(self, *, stream: bool = False) -> int:
        """One chat, read to its end, and settled; its status."""
        async with self.caller.stream(
            "POST",
            "/v1/chat/completions",
            headers={"Authorization": f"Bearer {KEY}"},
            json={
                "model": "demo-small",
                "max_tokens": 20,
                "stream": stream,
                "messages": [{"role": "user", "content": "Say hello"}],
            },
        ) as answer:
            await answer.aread()
        self.asked += 1
        await self.finished()
        return answer.status_code

    async def finished(self) -> list[Finished]:
        return await self.inside.finished(KEY, self.asked)

    async def commands(self, *, stream: bool = False) -> dict[str, int]:
        """What one chat made the store's server do: calls by command, within scripts too."""
        with self.valkey.client() as client:
            client.config_resetstat()
            await self.ask(stream=stream)
            told: dict[str, dict[str, int]] = client.info("commandstats")
        calls = {name.removeprefix("cmdstat_"): row["calls"] for name, row in told.items()}
        return {name: count for name, count in calls.items() if name not in OURS}


OURS = {"info", "config|resetstat", "hello", "client|setinfo", "client|setname", "select"}
"""What the looking itself takes."""


@asynccontextmanager
async def whole(folder: Path, policies: str = GENEROUS) -> AsyncIterator[Whole]:
    """Warm: one exchange has been, so that connections are open and scripts are loaded."""
    file = folder / "quotas.yaml"
    await asyncio.to_thread(file.write_text, policies)
    model = Model()
    async with AsyncExitStack() as open_parts:
        valkey = open_parts.enter_context(running("valkey"))
        enter = open_parts.enter_async_context
        upstream = await enter(serving(model))
        inside = await enter(gauger_inside(file, upstream, store=valkey.url))
        caller = await enter(httpx.AsyncClient(base_url=inside.url, trust_env=False, timeout=30))
        made = Whole(model, inside, valkey, caller)
        await made.ask()
        yield made

"""A real gauger in this process, before a scripted model API whose books are the judge.

What stands charged is read by one more request, whose decision tells of every counter.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.decision.finished import Finished
from gateway.decision.settlement import Settlement
from gateway.demo.ledger import Entry
from gateway.demo.model_api import ModelApi
from gateway.demo.scripts import Gate, Script
from gateway.proxy.asgi import Receive, Scope, Send
from tests.endings.speakers import OPENAI, Speaker
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.parts.serving import serving

POLICIES = Path(__file__).parent / "policies"
PATIENCE_S = 15.0
WORD = "word"
"""Four bytes: one token for the model API, and one by our count."""


_numbers = itertools.count()


@dataclass(slots=True)
class Charged:
    """Of one caller, by all quotas."""

    requests: int
    input: int
    output: int
    kept: int
    """Tokens by the quota that keeps reservations: `on_abort: reservation`."""
    in_flight: int


@dataclass(slots=True)
class Answer:
    status: int
    content: bytes
    broken: bool
    """It was left incomplete, and the connection closed."""


class Theatre:
    """One address for the model API of whatever test is playing."""

    def __init__(self) -> None:
        self.model = ModelApi()
        self.url = ""
        self._gaugers: dict[str, GaugerInside] = {}
        self._open = AsyncExitStack()

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Theatre"]:
        async with serving(self) as self.url, self._open:
            yield self

    async def scene(
        self, policies: str = "wide", *, fresh: bool = False, **settings: Any
    ) -> "Scene":
        """Before a gauger with these policies and settings; started once, if not `fresh`.

        A fresh one has not learned yet how much a model writes.
        """
        name = f"{policies} {settings} {next(_numbers) if fresh else ''}"
        if name not in self._gaugers:
            given = {"upstream": self.url, **settings}
            starting = gauger_inside(POLICIES / f"{policies}.yaml", **given)
            self._gaugers[name] = await self._open.enter_async_context(starting)
        self.model = ModelApi()
        return Scene(self.model, self._gaugers[name])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.model(scope, receive, send)


@dataclass(slots=True)
class Scene:
    """One caller and what becomes of what it asks."""

    model: ModelApi
    inside: GaugerInside
    key: str = field(default_factory=lambda: f"sk-ending-{next(_numbers)}-{secrets.token_hex(4)}")

    def plays(self, **script: Any) -> Gate:
        """From now on the model API says some words, step by step."""
        gate = Gate()
        self.model.script = Script(**{"pieces": (WORD,) * 9, "gate": gate, **script})
        return gate

    @asynccontextmanager
    async def asking(
        self,
        speaker: Speaker,
        *,
        stream: bool = True,
        ceiling: int | None = 60,
        choices: int = 1,
    ) -> AsyncIterator[httpx.Response]:
        """The head of the answer; leaving the block before its end is leaving."""
        async with (
            asyncio.timeout(PATIENCE_S),
            httpx.AsyncClient(base_url=self.inside.url, timeout=None) as client,  # noqa: S113  above
            client.stream(
                "POST",
                speaker.path(stream=stream),
                headers=speaker.headers(self.key),
                json=speaker.body(stream=stream, ceiling=ceiling, choices=choices),
            ) as answer,
        ):
            yield answer

    async def answer(self, speaker: Speaker, **how: Any) -> Answer:
        """All that comes."""
        read, broken = b"", False
        async with self.asking(speaker, **how) as answer:
            try:
                async for piece in answer.aiter_raw():
                    read += piece
            except httpx.RemoteProtocolError:
                broken = True
        return Answer(answer.status_code, read, broken)

    async def entry(self, number: int = 0) -> Entry:
        async with asyncio.timeout(PATIENCE_S):
            return await self.model.ledger.ended(number)

    async def finished(self, number: int = 0) -> Finished:
        return (await self.inside.finished(self.key, number + 1))[number]

    async def settlement(self) -> Settlement:
        settlement = (await self.finished()).settlement
        assert settlement is not None
        return settlement

    async def estimated_input(self) -> int:
        decision = (await self.finished()).decision
        assert decision is not None
        assert decision.estimate is not None
        return decision.estimate.input_tokens

    async def charged(self, before: int = 1) -> Charged:
        """What stands once `before` exchanges are over."""
        if before:
            await self.finished(before - 1)
        self.model.script, self.model.heeds_ceilings = Script(), True
        await self.answer(OPENAI, stream=False, ceiling=1)
        decision = (await self.finished(before)).decision
        assert decision is not None
        standing = {
            (charge.limit.quota_id, charge.limit.unit.value): reading.used
            - (charge.amount if reading.charged else 0)
            for charge, reading in zip(decision.charges, decision.readings, strict=True)
        }
        return Charged(
            standing["requests", "requests"],
            standing["tokens", "input_tokens"],
            standing["tokens", "output_tokens"],
            standing["kept", "tokens"],
            standing["slots", "concurrent"],
        )


async def words(pieces: AsyncIterator[bytes], count: int) -> bytes:
    """What has come by the time that so many words have."""
    return await until(pieces, lambda read: read.count(WORD.encode()) >= count)


async def until(pieces: AsyncIterator[bytes], enough: Callable[[bytes], bool]) -> bytes:
    read = b""
    while not enough(read):
        read += await anext(pieces)
    return read

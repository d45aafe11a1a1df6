"""Where the end-to-end tests play: one scripted model API, and gaugers in front of it as needed."""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anthropic
import openai

from gateway.demo.model_api import ModelApi
from gateway.proxy.asgi import Receive, Scope, Send
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.parts.gauger_process import Gauger, gauger
from tests.parts.serving import serving
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

POLICIES = Path(__file__).parent / "policies"
MODEL = "demo-small"
WORDS = "Say hello"


@dataclass(slots=True)
class Door:
    """What the SDKs of one test talk to, with a key and a model API of its own."""

    url: str
    key: str
    model: ModelApi
    gauger: Gauger | None

    @asynccontextmanager
    async def openai(self, *, max_retries: int = 0) -> AsyncIterator[openai.AsyncOpenAI]:
        async with openai_sdk(self.url, self.key, max_retries=max_retries) as client:
            yield client

    @asynccontextmanager
    async def anthropic(self, *, max_retries: int = 0) -> AsyncIterator[anthropic.AsyncAnthropic]:
        async with anthropic_sdk(self.url, self.key, max_retries=max_retries) as client:
            yield client


class Stage:
    """One address for the model API of whatever test is running, so that gaugers can be shared."""

    def __init__(self) -> None:
        self.model = ModelApi()
        self.url = ""
        run = secrets.token_hex(4)  # a store that outlives the run knows nothing of its keys
        self._keys = (f"sk-end-to-end-{run}-{number}" for number in itertools.count())
        self._gaugers: dict[str, Gauger] = {}
        self._inside: GaugerInside | None = None
        self._open = AsyncExitStack()

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Stage"]:
        async with serving(self) as self.url, self._open:
            yield self

    def door(self, gauger: Gauger | None = None) -> Door:
        self.model = ModelApi()
        return Door(gauger.url if gauger else self.url, next(self._keys), self.model, gauger)

    async def behind(self, policies: str) -> Door:
        """A gauger with this file of policies; started once, each test with a key of its own."""
        if policies not in self._gaugers:
            starting = gauger(POLICIES / f"{policies}.yaml", self.url)
            self._gaugers[policies] = await self._open.enter_async_context(starting)
        return self.door(self._gaugers[policies])

    async def before(self) -> tuple[Door, GaugerInside]:
        """A gauger in this very process, whose finished exchanges can be read."""
        if self._inside is None:
            starting = gauger_inside(POLICIES / "generous.yaml", self.url)
            self._inside = await self._open.enter_async_context(starting)
        door = self.door()
        door.url = self._inside.url
        return door, self._inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.model(scope, receive, send)

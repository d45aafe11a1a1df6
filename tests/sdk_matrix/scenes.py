"""Every refusal that an SDK can meet, each with what must be in place for it to happen."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from gateway.admission import Admission
from gateway.demo.ledger import digest
from gateway.demo.scripts import Fault, Gate, Script
from tests.parts.gauger_inside import gauger_inside
from tests.parts.raw_server import raw_server, silent, unused_port
from tests.parts.serving import serving
from tests.parts.token_issuer import Signer
from tests.sdk_matrix.python.asked import MODEL, WORDS
from tests.sdk_matrix.whole_model_api import WholeModelApi

PIECES = ("one", " two", " three", " four")
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": WORDS}], "max_tokens": 5}


@dataclass(slots=True)
class Set:
    """What stands while the SDKs play."""

    url: str
    key: Callable[[str], str | None]
    """What a client presents, by the name of an account that it has for itself."""
    before: Callable[[str], AbstractAsyncContextManager[None]]
    """What goes on around the client's call, with its key."""
    reached: Callable[[str | None], int]
    """How many requests with this key have come to the model API, those of `before` included."""


@dataclass(frozen=True, slots=True)
class Scene:
    name: str
    build: Callable[[Path], AbstractAsyncContextManager[Set]]
    status: int
    """Of each answer that the SDK is given."""
    status_of_anthropic: int | None = None
    """Where that dialect has one of its own."""
    task: str = "plain"
    sleeps: bool = False
    """The pauses are really made."""
    before: int = 0
    """How many requests reached the model API before the SDK's."""
    passes: bool = False
    """The SDK's own reach it, too."""
    cured_by_waiting: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """How a set is built from the parts that every set has."""

    limit: str = "10000 requests/minute"
    settings: dict[str, Any] = field(default_factory=dict)
    script: Script | None = None
    spent: bool = False
    """The key's quota is used up before."""
    held: bool = False
    """The key has a stream open."""
    full: bool = False
    """Somebody else has a stream open, and there is room for no second exchange."""
    no_key: bool = False
    noticed: str = ""
    """What is done to whoever has asked once, as a step of the ladder."""

    @asynccontextmanager
    async def __call__(self, directory: Path) -> AsyncIterator[Set]:
        model = WholeModelApi()
        if self.script is not None:
            model.scripted.script = self.script
        policies = _policies(directory, self.limit, self.noticed)
        one_at_a_time = asyncio.Lock()
        async with contextlib.AsyncExitStack() as playing:
            upstream = await playing.enter_async_context(serving(model))
            settings = self.settings | ({"max_exchanges": 1} if self.full else {})
            inside = await playing.enter_async_context(
                gauger_inside(policies, upstream, **settings)
            )

            @asynccontextmanager
            async def held(client: httpx.AsyncClient, key: str) -> AsyncIterator[None]:
                gate = Gate()
                async with contextlib.AsyncExitStack() as open_streams:
                    async with one_at_a_time:  # so that each gate is its own stream's
                        model.scripted.then(Script(gate=gate))
                        gate.let(2)
                        asking = client.stream("POST", **_request(key, stream=True))
                        answer = await open_streams.enter_async_context(asking)
                    answer.raise_for_status()
                    yield
                    gate.open()
                    await answer.aread()

            @asynccontextmanager
            async def before(key: str) -> AsyncIterator[None]:
                async with httpx.AsyncClient(base_url=inside.url) as client:
                    if self.spent or self.noticed:
                        await _chat(client, key)
                    if self.noticed:
                        await _until_noticed(client, key)
                    if not self.held:
                        yield
                        return
                    async with held(client, key):
                        yield

            if self.full:
                client = await playing.enter_async_context(httpx.AsyncClient(base_url=inside.url))
                await playing.enter_async_context(held(client, "sk-somebody-else"))

            def reached(key: str | None) -> int:
                credential = digest(key) if key else None
                entries = model.scripted.ledger.entries
                return sum(e.credential == credential and e.method == "POST" for e in entries)

            yield Set(
                inside.url, lambda name: None if self.no_key else f"sk-{name}", before, reached
            )


@asynccontextmanager
async def bad_key(directory: Path) -> AsyncIterator[Set]:
    accounts = directory / "accounts.yaml"
    accounts.write_text("accounts:\n  - id: somebody-else\n    keys: []\n")
    async with Plan(settings={"accounts": accounts})(directory) as built:
        yield built


@asynccontextmanager
async def no_issuer(directory: Path) -> AsyncIterator[Set]:
    identities = directory / "identities.yaml"
    identities.write_text(
        "jwt:\n  - issuer: https://login.example.com/\n    audience: gauger\n"
        f"    jwks_url: http://127.0.0.1:{unused_port()}/jwks\n"
    )
    settings = {"identities": identities, "upstream_key": "sk-model"}
    async with Plan(settings=settings)(directory) as built:
        token = Signer().token(exp=int(time.time()) + 600)
        yield Set(built.url, lambda _name: token, built.before, built.reached)


@asynccontextmanager
async def no_store(directory: Path) -> AsyncIterator[Set]:
    away = f"redis://127.0.0.1:{unused_port()}/0"
    async with Plan(settings={"store": away})(directory) as built:
        yield built


@asynccontextmanager
async def defective(directory: Path) -> AsyncIterator[Set]:
    """A gauger with a bug."""
    bug = patch.object(Admission, "admit", side_effect=ZeroDivisionError)
    with bug:
        async with Plan()(directory) as built:
            yield built


@asynccontextmanager
async def nobody_listens(directory: Path) -> AsyncIterator[Set]:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    async with gauger_inside(_policies(directory, Plan().limit), nowhere) as inside:
        yield Set(inside.url, lambda name: f"sk-{name}", _nothing, lambda _key: 0)


@asynccontextmanager
async def never_answers(directory: Path) -> AsyncIterator[Set]:
    async with (
        raw_server(silent) as server,
        gauger_inside(
            _policies(directory, Plan().limit), server.url, first_byte_timeout_s=0.1
        ) as inside,
    ):
        yield Set(inside.url, lambda name: f"sk-{name}", _nothing, lambda _key: 0)


OWN_FAULT = Script(
    status=429,
    fault=Fault("rate_limit_error", "Said by the model API.", "rate_limit_exceeded"),
    headers={"retry-after": "7"},
)

_LATER = "1 request/10 minutes"

SCENES = (
    Scene("rate, for 45 s", Plan("1 request/45 seconds", spent=True), 429, before=1),
    Scene(
        "rate, for 1 s, slept",
        Plan("1 request/second", spent=True),
        429,
        sleeps=True,
        before=1,
    ),
    Scene("rate, for 10 min", Plan(_LATER, spent=True), 429, before=1),
    Scene("rate, for 10 min, stream", Plan(_LATER, spent=True), 429, task="stream", before=1),
    Scene("concurrency", Plan("1 concurrent", held=True), 429, before=1),
    Scene("never fits", Plan("300 tokens/hour"), 400, task="never", cured_by_waiting=False),
    Scene("suspended", Plan(noticed="do: block, for: 24h"), 403, before=1, cured_by_waiting=False),
    Scene(
        "challenged",
        Plan(noticed='do: challenge, url: "https://example.com/confirm"'),
        403,
        before=1,
        cured_by_waiting=False,
    ),
    Scene("no key", Plan(no_key=True), 401, cured_by_waiting=False),
    Scene("bad key", bad_key, 401, cured_by_waiting=False),
    Scene("unmetered route", Plan(), 404, task="wrong route", cured_by_waiting=False),
    Scene("unknown path", Plan(), 404, task="wrong address", cured_by_waiting=False),
    Scene("wrong method", Plan(), 405, task="wrong method", cured_by_waiting=False),
    Scene("malformed", Plan(), 400, task="malformed", cured_by_waiting=False),
    Scene(
        "body too large",
        Plan(settings={"body_limit_bytes": 4000}),
        413,
        task="large",
        cured_by_waiting=False,
    ),
    Scene("store away", no_store, 503),
    Scene("issuer's keys away", no_issuer, 503),
    Scene("gauger is full", Plan(full=True), 503, status_of_anthropic=529),
    Scene("gauger has a bug", defective, 500),
    Scene("upstream unreachable", nobody_listens, 502),
    Scene("upstream too slow", never_answers, 504),
    Scene("upstream's own 429", Plan(script=OWN_FAULT), 429, passes=True),
    Scene("broken off", Plan(script=Script(pieces=PIECES, truncate_after=1)), 200, passes=True),
    Scene(
        "broken off, stream",
        Plan(script=Script(pieces=PIECES, truncate_after=3)),
        200,
        task="stream",
        passes=True,
    ),
)


@asynccontextmanager
async def _nothing(_key: str) -> AsyncIterator[None]:
    yield


async def _until_noticed(client: httpx.AsyncClient, key: str) -> None:
    """What was asked is weighed a moment later. To list models asks nothing of a model."""
    while True:
        asked = await client.get("/v1/models", headers=_request(key)["headers"])
        if asked.status_code == httpx.codes.FORBIDDEN:
            return
        await asyncio.sleep(0.01)


def _policies(directory: Path, limit: str, noticed: str = "") -> Path:
    policies = directory / "quotas.yaml"
    policies.write_text(
        f"quotas:\n  - id: the-limit\n    why: As the scene wants it.\n    limit: {limit}\n"
        "    per: account\n"
    )
    if noticed:
        (directory / "noticed.yaml").write_text(
            "behaviours:\n  - {id: asked, why: As the scene wants it., measure: {asked: count() "
            "over 1h}, when: asked >= 1, points: 90}\n"
            f"responses: [{{at: 80, {noticed}}}]\nguardrails: {{blocked_accounts: 100% per day}}\n"
        )
    return directory if noticed else policies


def _request(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "url": "/v1/chat/completions",
        "headers": {"authorization": f"Bearer {key}"},
        "json": CHAT | fields,
    }


async def _chat(client: httpx.AsyncClient, key: str) -> None:
    (await client.post(**_request(key))).raise_for_status()

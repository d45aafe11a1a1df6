"""The matrix: every SDK through every refusal, and through everything that is asked of a model."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.sdk_matrix.drivers import NODE_DIRECTORY, Driver, Outcome, node_driver, python_driver
from tests.sdk_matrix.node_packages import Missing, node_packages
from tests.sdk_matrix.scenes import SCENES, Scene, Set
from tests.sdk_matrix.tap import Answered, tap
from tests.sdk_matrix.tasks import TASKS, Answer, answers

FAMILIES: Mapping[str, Sequence[str]] = {
    "OpenAI": (
        "openai",
        "langchain-openai",
        "litellm openai/",
        "litellm openai/ with num_retries=2",
        "npm openai",
        "AI SDK openai()",
        "AI SDK openai.chat()",
    ),
    "Anthropic": (
        "anthropic",
        "langchain-anthropic",
        "litellm anthropic/",
        "npm @anthropic-ai/sdk",
        "AI SDK anthropic()",
    ),
    "Gemini": (
        "google-genai",
        "google-genai with retry_options",
        "litellm gemini/",
        "npm @google/genai",
        "AI SDK google()",
    ),
}
"""Clients by what they speak; the first of each is the model API's own."""

CLIENTS = tuple(client for clients in FAMILIES.values() for client in clients)

PACKAGE_JSON = (NODE_DIRECTORY / "package.json").read_text("utf-8")

TOLD_WITHIN = 0.05
"""A pause as told may be that much longer or shorter, as a share: nobody adds jitter to it."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one SDK made of one refusal."""

    outcome: Outcome
    attempts: int
    answers: Sequence[Answered]
    reached: int
    """Requests with its key that came to the model API."""

    @property
    def pauses(self) -> str:
        """By what it paused between its attempts."""
        made = self.outcome.pauses_s
        if not made:
            return "at once" if self.attempts > 1 else ""
        told = [answer.told_s for answer in self.answers[: len(made)]]
        if all(
            wait is not None and abs(pause - wait) <= TOLD_WITHIN * wait
            for pause, wait in zip(made, told, strict=False)
        ):
            return "as told"
        return "its own pauses"

    @property
    def text(self) -> str:
        """One cell of the table."""
        problem = self.outcome.problem
        if self.outcome.cannot is not None:
            return "-"
        if problem is None:
            return "answered, after waiting" if self.attempts > 1 else "answered"
        name = f"`{problem.name.rpartition('.')[2]}`"
        if self.attempts == 0:
            return f"{name}, nothing sent"
        if self.attempts == 1:
            return name
        return f"{name}, {self.attempts}x, {self.pauses}"


@dataclass(slots=True)
class Matrix:
    versions: dict[str, str] = field(default_factory=dict)
    """Of the SDK behind each client that is here."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why a client is not."""
    reactions: dict[tuple[str, str], Reaction] = field(default_factory=dict)
    """By scene and client."""
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    """By task and client."""


@dataclass(slots=True)
class Drivers:
    by_client: dict[str, Driver]
    missing: dict[str, str]


@asynccontextmanager
async def drivers() -> AsyncIterator[Drivers]:
    """All SDKs that are installed here. Those of npm are installed if there is a node."""
    async with AsyncExitStack() as running:
        found = Drivers({}, {})
        python = await running.enter_async_context(python_driver())
        found.by_client |= dict.fromkeys(python.versions, python)
        packages = await node_packages(PACKAGE_JSON)
        if not isinstance(packages, Missing):
            node = await running.enter_async_context(node_driver(packages))
            found.by_client |= dict.fromkeys(node.versions, node)
        for client in CLIENTS:
            if client in found.by_client:
                continue
            of_node = client.startswith(("npm ", "AI SDK "))
            why = packages.reason if isinstance(packages, Missing) and of_node else ""
            found.missing[client] = why or "not installed: pip install '.[sdks]'"
        yield found


async def observed() -> Matrix:
    async with drivers() as found:
        matrix = Matrix(missing=found.missing)
        for client, driver in found.by_client.items():
            matrix.versions[client] = driver.versions[client]
        matrix.answers = await _answers(found.by_client)
        for scene in SCENES:
            reactions = await _reactions(scene, found.by_client)
            matrix.reactions |= {(scene.name, client): seen for client, seen in reactions.items()}
        return matrix


async def _reactions(scene: Scene, found: Mapping[str, Driver]) -> dict[str, Reaction]:
    with tempfile.TemporaryDirectory() as directory:
        async with scene.build(Path(directory)) as built:
            seen = await asyncio.gather(
                *(_reaction(scene, built, client, driver) for client, driver in found.items())
            )
    return dict(zip(found, seen, strict=True))


async def _reaction(scene: Scene, built: Set, client: str, driver: Driver) -> Reaction:
    key = built.key(client.replace(" ", "-"))
    async with AsyncExitStack() as around:

        async def before() -> None:
            await around.enter_async_context(built.before(key or ""))

        async with tap(built.url, before) as tapped:
            outcome = await driver.ask(
                client, scene.task, tapped.url, key, skip_pauses=not scene.sleeps
            )
            reached = built.reached(key)
            return Reaction(outcome, tapped.requests, tuple(tapped.answers), reached)


async def _answers(found: Mapping[str, Driver]) -> dict[tuple[str, str], Answer]:
    seen: dict[tuple[str, str], Answer] = {}
    for task in TASKS:
        with tempfile.TemporaryDirectory() as directory:
            of_task = await answers(task, Path(directory), found)
        seen |= {(task.name, client): answer for client, answer in of_task.items()}
    return seen

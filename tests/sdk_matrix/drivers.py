"""The processes in which the SDKs live, one for Python and one for node: they speak JSON lines."""

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sdk_matrix.python.asked import Problem, Said

ROOT = Path(__file__).parents[2]
NODE_DIRECTORY = Path(__file__).parent / "node"
START_S = 90.0
"""Importing litellm alone takes seconds."""
CALL_S = 40.0


class DriverDied(Exception):
    """What it said on standard error."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call, as the program around the SDK sees it."""

    said: Said
    problem: Problem | None = None
    cannot: str | None = None
    """The SDK has no way to ask for this."""
    pauses_s: tuple[float, ...] = ()
    """Between its attempts, in order."""


@dataclass(slots=True)
class Driver:
    process: asyncio.subprocess.Process
    versions: Mapping[str, str]
    """Of the SDK behind each client."""
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    async def ask(
        self, client: str, task: str, url: str, key: str | None, *, skip_pauses: bool = True
    ) -> Outcome:
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        call = {"client": client, "task": task, "url": url, "key": key}
        assert self.process.stdin is not None
        line = json.dumps({"id": number, "skip_pauses": skip_pauses, **call})
        self.process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(CALL_S):
            document = await answer
        problem = document.get("problem")
        return Outcome(
            Said(**document["said"]),
            Problem(**problem) if problem else None,
            document.get("cannot"),
            tuple(document["pauses"]),
        )

    async def listen(self) -> None:
        """Hands out the answers until the process ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            document = json.loads(line)
            self._waiting.pop(document["id"]).set_result(document)
        for answer in self._waiting.values():
            answer.cancel()


@asynccontextmanager
async def python_driver() -> AsyncIterator[Driver]:
    async with _driver(sys.executable, "-m", "tests.sdk_matrix.python") as driver:
        yield driver


@asynccontextmanager
async def node_driver(packages: Path) -> AsyncIterator[Driver]:
    """`packages` is the directory that has `node_modules`."""
    script = NODE_DIRECTORY / "driver.mjs"
    async with _driver("node", str(script), str(packages)) as driver:
        yield driver


@asynccontextmanager
async def _driver(*command: str) -> AsyncIterator[Driver]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=_environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(START_S):
            first = await process.stdout.readline()
        if not first:
            raise DriverDied((await complaints).decode(errors="replace"))
        driver = Driver(process, json.loads(first)["clients"])
        listening = asyncio.create_task(driver.listen())
        yield driver
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # it holds nothing, and threads of SDKs may hold it
        await process.wait()
        await complaints
    await listening


def _environment() -> dict[str, str]:
    """Ours, without what would send a call elsewhere than to loopback, or tell anybody of it."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
        and not name.startswith(
            ("OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_", "LITELLM_", "LANG", "OTEL_", "COV_")
        )
    } | {"PYTHONWARNINGS": "ignore"}

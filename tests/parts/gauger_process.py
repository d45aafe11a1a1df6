"""gauger as an operator runs it: a process of its own, by the command line."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.facts.principal import Secret

ROOT = Path(__file__).parents[2]
LISTENING, ADMIN = "gauger listening on ", "admin on "
START_S = 30.0
STOP_S = 10.0
DECIDED_S = 10.0
SECRET = "the-secret-of-the-end-to-end-tests-0123456789"


class DidNotStart(Exception):
    """It ended instead; the message is what it said, and how it ended."""

    def __init__(self, exit_code: int, said: str) -> None:
        super().__init__(f"exit {exit_code}: {said}")
        self.exit_code = exit_code
        self.said = said


@dataclass(slots=True)
class Gauger:
    url: str
    admin_url: str
    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)
    """Lines of its standard error."""
    more: asyncio.Event = field(default_factory=asyncio.Event)
    """It has said something."""

    async def said(self, *words: str) -> str:
        """The first line of its log that holds all of these words."""
        async with asyncio.timeout(DECIDED_S):
            while True:
                for line in self.log:
                    if all(word in line for word in words):
                        return line
                self.more.clear()
                await self.more.wait()

    async def decisions(self, key: str, count: int) -> list[dict[str, Any]]:
        """What was decided for a key, newest first, once this many of its exchanges are settled."""
        account = Secret(SECRET.encode()).anonymous_account_id(key)
        async with asyncio.timeout(DECIDED_S), httpx.AsyncClient(base_url=self.admin_url) as client:
            while True:
                answer = await client.get("/decisions", params={"account": account})
                decisions: list[dict[str, Any]] = answer.raise_for_status().json()["decisions"]
                if len(decisions) >= count:
                    return decisions
                await asyncio.sleep(0.02)  # another process: it has no event of ours to set


async def run(*arguments: str) -> str:
    """A command of gauger's that ends by itself; what it printed. Raises `DidNotStart`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=ROOT,
        env=_environment() | {"GAUGER_SECRET": SECRET},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, said = await process.communicate()
    if process.returncode:
        raise DidNotStart(process.returncode, said.decode())
    return printed.decode().strip()


@asynccontextmanager
async def gauger(
    policies: Path,
    upstream: str,
    *flags: str,
    store: str = "memory://",
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Gauger]:
    """Listening when the block begins, ended by SIGTERM after it. Raises `DidNotStart`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve"),
        *("--policies", str(policies), "--upstream", upstream, "--store", store),
        *("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"),
        *flags,
        cwd=ROOT,
        env=_environment()
        | {"GAUGER_SECRET": SECRET, "GAUGER_SHUTDOWN_GRACE": "1s", "GAUGER_STORE_TIMEOUT": "5s"}
        | dict(environ or {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    log: list[str] = []
    more = asyncio.Event()
    listening = asyncio.create_task(_lines(process.stderr, log, more))
    try:
        async with asyncio.timeout(START_S):
            try:
                url = await _announced(process.stdout, LISTENING)
                admin_url = await _announced(process.stdout, ADMIN)
            except EOFError:
                exit_code = await process.wait()
                await listening
                raise DidNotStart(exit_code, "\n".join(log)) from None
        yield Gauger(url, admin_url, process, log, more)
    finally:
        await _stop(process)
        await listening


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise


async def _announced(stream: asyncio.StreamReader | None, words: str) -> str:
    assert stream is not None
    line = (await stream.readline()).decode().strip()
    if not line:
        raise EOFError
    assert line.startswith(words), line
    return line.removeprefix(words)


async def _lines(stream: asyncio.StreamReader | None, into: list[str], more: asyncio.Event) -> None:
    assert stream is not None
    while line := await stream.readline():
        into.append(line.decode(errors="replace").rstrip())
        more.set()


def _environment() -> dict[str, str]:
    """Ours, without what would configure a gauger or send its traces anywhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GAUGER_", "OTEL_", "COV_"))
    }

"""aimock, a mock of the model APIs that others wrote, as a process of its own."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE_JSON = (HERE / "package.json").read_text("utf-8")
FIXTURES = HERE / "fixtures.json"
KEY = "the-key-that-aimock-takes"
LISTENING = "listening on "
START_S = 30.0


@asynccontextmanager
async def aimock(packages: Path) -> AsyncIterator[str]:
    """Its address. `packages` is the directory that has `node_modules`."""
    process = await asyncio.create_subprocess_exec(
        *("node", str(packages / "node_modules/@copilotkit/aimock/dist/cli.js")),
        *("--port", "0", "--fixtures", str(FIXTURES), "--validate-on-load", "--strict"),
        env=os.environ | {"AIMOCK_API_KEYS": KEY},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(START_S):
            while LISTENING.encode() not in said:
                line = await process.stdout.readline()
                assert line, said.decode(errors="replace")
                said += line
        reading = asyncio.create_task(process.stdout.read())  # it never waits for a reader
        yield said.decode().partition(LISTENING)[2].strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    await reading

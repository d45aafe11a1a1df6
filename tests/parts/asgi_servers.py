"""ASGI servers as processes, around `bare_app`: ours, and those that others bring."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.parts.bare_app import UPSTREAM
from tests.parts.raw_server import unused_port

ROOT = Path(__file__).parents[2]
APP = "tests.parts.bare_app:app"
START_S = 30.0
STOP_S = 20.0

OURS = "gauger's own"
SERVERS = {
    OURS: ("tests.parts.bare_app", "{port}"),
    "uvicorn, httptools": ("uvicorn", APP, "--port", "{port}", "--http", "httptools"),
    "uvicorn, h11": ("uvicorn", APP, "--port", "{port}", "--http", "h11"),
    "gunicorn -k asgi": (
        *("gunicorn", "-k", "asgi", "-b", "127.0.0.1:{port}", APP),
        *("--asgi-disconnect-grace-period", "0"),
    ),
    "hypercorn": ("hypercorn", "-b", "127.0.0.1:{port}", APP),
}


@contextlib.asynccontextmanager
async def asgi_server(
    name: str, upstream: str
) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """Yields its port and its process, which is gone when the block ends."""
    port = unused_port()
    arguments = [part.format(port=port) for part in SERVERS[name]]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        cwd=ROOT,
        env=os.environ | {UPSTREAM: upstream},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_S):
            await _listening(port, process)
        yield port, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)  # another process: it has no event of ours to set
    raise RuntimeError(f"it ended with {process.returncode} instead of listening")

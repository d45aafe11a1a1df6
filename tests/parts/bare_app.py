"""The app as those get it who bring their own server: `tests.parts.bare_app:app`.

The model API is the one at GAUGER_TEST_UPSTREAM. `python -m tests.parts.bare_app PORT` serves it by
the server that we ship.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator

from gateway.proxy.app import ProxyApp
from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.server import configuration, listen, run
from gateway.proxy.serving import serving
from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings
from gateway.proxy.upstream.target import UpstreamTarget
from tests.proxy.stage import stage

UPSTREAM = "GAUGER_TEST_UPSTREAM"


class _Upstream:
    """Made when the server's loop runs."""

    def __init__(self) -> None:
        self._made: HttpxUpstream | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            target = UpstreamTarget.parse(os.environ[UPSTREAM])
            self._made = HttpxUpstream(UpstreamSettings(target))
        await self._made(scope, receive, send)

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()


_upstream = _Upstream()


@contextlib.asynccontextmanager
async def _lifespan() -> AsyncIterator[None]:
    yield
    await _upstream.aclose()


async def _ready() -> bool:
    return True


app = ProxyApp(stage(_upstream).gateway, ready=_ready, lifespan=_lifespan)  # type: ignore[arg-type]  # any app will do


async def _serve(port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serving(configuration(app, grace_s=5), listen("127.0.0.1", port)):
        await stop.wait()


if __name__ == "__main__":
    run(_serve(int(sys.argv[1])))

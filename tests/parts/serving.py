"""Serves an ASGI app on loopback inside the test's own event loop, by the server that we ship."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn

from gateway.proxy.asgi import App
from gateway.proxy.http_protocol import strict_http
from gateway.proxy.wire_limits import WireLimits


@contextlib.asynccontextmanager
async def serving(
    app: App, *, lifespan: str = "off", limits: WireLimits | None = None
) -> AsyncIterator[str]:
    """Yields `http://127.0.0.1:PORT`; the server has stopped when the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # see proxy.server.listen
        config = uvicorn.Config(
            app,
            http=strict_http(limits or WireLimits()),
            ws="none",
            lifespan="on" if lifespan == "on" else "off",
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        ready = asyncio.Event()
        startup = server.startup

        async def startup_then_tell(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            ready.set()

        server.startup = startup_then_tell  # type: ignore[method-assign]
        running = asyncio.create_task(server._serve([listener]))  # no signal handlers
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if running.done():
            running.result()
        try:
            host, port = listener.getsockname()[:2]
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            await running

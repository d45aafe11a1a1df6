"""Servers inside an event loop that is not theirs alone: they neither make it nor take signals.

uvicorn's own `serve` installs signal handlers for one server; a gauger serves two ports, and
decides itself when both stop.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn

from gateway.proxy.http_protocol import StrictHttp


class _Server(uvicorn.Server):
    """Tells when it is ready, and why it did not start."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as error:  # it would end the loop, and with it whatever else serves there
            raise RuntimeError("the app did not start") from error
        if not self.should_exit:
            self.ready.set()

    def abort_connections(self) -> None:
        """Those that outlast the grace: their exchanges are cancelled, their peers do not read."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, StrictHttp):
                connection.abort()


@contextlib.asynccontextmanager
async def serving(config: uvicorn.Config, listener: socket.socket) -> AsyncIterator[None]:
    """Serving while the block runs; then it drains for as long as the configuration grants.

    Raises `RuntimeError` if the app's lifespan did not start. A server that ends by itself ends
    the block with a cancellation.
    """
    server = _Server(config)
    with listener:
        running = asyncio.create_task(server._serve([listener]))  # noqa: SLF001  # serve() takes signals
        ready = asyncio.create_task(server.ready.wait())
        try:
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not server.ready.is_set():
                await running
                raise RuntimeError("the app did not start")
            yield
        finally:
            ready.cancel()
            server.should_exit = True
            try:
                await running
            finally:
                server.abort_connections()

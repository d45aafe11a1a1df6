"""Servers inside an event loop that is not theirs alone: they neither make it nor take signals.

uvicorn's own `serve` installs signal handlers for one server; a gauger serves two ports, and
decides itself when both stop.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

import uvicorn

from gateway.proxy.http_protocol import StrictHttp

CUT_S = 1.0
"""For exchanges that are cut to tell their callers; longer than a farewell of `proxy.passage`."""


class _NotCut(logging.Filter):
    """An exchange that was cut is no failure of the app's; uvicorn tells it as one."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class Server(uvicorn.Server):
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

    def cut(self) -> None:
        """Wait no longer for what is under way: it is cancelled, and is still settled."""
        for task in list(self.server_state.tasks):
            task.cancel()
        asyncio.get_running_loop().call_later(CUT_S, self.abort_connections)

    def abort_connections(self) -> None:
        """Those that outlast the grace: their exchanges are cancelled, their peers do not read."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, StrictHttp):
                connection.abort()


@contextlib.asynccontextmanager
async def serving(config: uvicorn.Config, listener: socket.socket) -> AsyncIterator[Server]:
    """Serving while the block runs; then it drains for as long as the configuration grants.

    Raises `RuntimeError` if the app's lifespan did not start. A server that ends by itself ends
    the block with a cancellation.
    """
    server, not_cut = Server(config), _NotCut()
    uvicorns = logging.getLogger("uvicorn.error")
    uvicorns.addFilter(not_cut)
    with listener:
        running = asyncio.create_task(server._serve([listener]))  # noqa: SLF001  # serve() takes signals
        ready = asyncio.create_task(server.ready.wait())
        try:
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not server.ready.is_set():
                await running
                raise RuntimeError("the app did not start")
            yield server
        finally:
            ready.cancel()
            server.should_exit = True
            try:
                await running
            finally:
                server.abort_connections()
                uvicorns.removeFilter(not_cut)

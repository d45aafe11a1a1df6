"""Servers inside an event loop that is not theirs alone: they neither make it nor take signals.

uvicorn's own `serve` installs signal handlers for one server; a gauger serves two ports, and
decides itself when both stop.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator

import uvicorn

from gateway.proxy.http_protocol import StrictHttp

_log = logging.getLogger(__name__)

CUT_S = 1.0
"""For exchanges that are cut to tell their callers; longer than a farewell of `proxy.passage`."""


class _NotCut(logging.Filter):
    """An exchange that was cut is no failure of the app's; uvicorn tells it as one."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class Server(uvicorn.Server):
    """Tells when it is ready, and why it did not start. Its certificate can be renewed."""

    def __init__(
        self, config: uvicorn.Config, listener: socket.socket, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._tls = tls
        self._renewing = asyncio.Lock()
        self._renewals: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002  # ours is listened to below
        try:
            await super().startup([])
        except SystemExit as error:  # it would end the loop, and with it whatever else serves there
            raise RuntimeError("the app did not start") from error
        if not self.should_exit:
            await self._listen()
            self.ready.set()

    def renew_tls(self, tls: ssl.SSLContext) -> None:
        """For the handshakes that begin from now on; connections stay as they are.

        A context of its own each time: one that is changed may be left half changed by a file that
        cannot be used, and would resume sessions that the former one has verified.
        """
        self._tls = tls
        renewal = asyncio.get_running_loop().create_task(self._renew())
        self._renewals.add(renewal)
        renewal.add_done_callback(self._renewals.discard)

    async def _renew(self) -> None:
        try:
            await self._listen()
        except OSError as error:  # no file is left to open
            _log.error(
                "TLS: the renewed certificate cannot be put in force: %s. Reload again.", error
            )

    async def _listen(self) -> None:
        """On the same socket, so what waits there to be accepted is lost to nobody."""
        async with self._renewing:
            if self.should_exit:
                return
            limits = self._protocol_class().limits
            # Before the handshake is over the protocol has no connection, and keeps no deadline.
            opened = await asyncio.get_running_loop().create_server(
                self._new_protocol,
                sock=self._listener.dup(),
                backlog=self.config.backlog,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else limits.head_s,
                ssl_shutdown_timeout=None if self._tls is None else limits.linger_s,
            )
            for former in self.servers:
                former.close()
            self.servers = [opened]

    def _new_protocol(self) -> StrictHttp:
        return self._protocol_class()(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _protocol_class(self) -> type[StrictHttp]:
        made: type[StrictHttp] = self.config.http_protocol_class  # type: ignore[assignment]  # see proxy.server
        return made

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
async def serving(
    config: uvicorn.Config, listener: socket.socket, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serving while the block runs; then it drains for as long as the configuration grants.

    Raises `RuntimeError` if the app's lifespan did not start. A server that ends by itself ends
    the block with a cancellation.
    """
    server, not_cut = Server(config, listener, tls), _NotCut()
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

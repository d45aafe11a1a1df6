"""A port as it is opened: its socket, its server, and its certificate, which may be renewed."""

import contextlib
from dataclasses import dataclass

from gateway.proxy.asgi import App
from gateway.proxy.server import configuration, listen
from gateway.proxy.serving import Server, serving
from gateway.settings import Address
from gateway.wiring.tls import WrittenTls


@dataclass(frozen=True, slots=True)
class Port:
    address: Address
    """With the port that the system chose."""
    tls: bool
    server: Server

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}"


async def open_port(
    parts: contextlib.AsyncExitStack,
    app: App,
    address: Address,
    *,
    grace_s: int,
    tls: WrittenTls | None = None,
) -> Port:
    """Closed with `parts`. Raises `SettingsError`."""
    listener = listen(address.host, address.port)
    host, port = listener.getsockname()[:2]
    context = None if tls is None else tls.value
    config = configuration(app, grace_s=grace_s)
    server = await parts.enter_async_context(serving(config, listener, context))
    if tls is not None:
        tls.whenever_replaced(server.renew_tls)
    return Port(Address(host, port), tls is not None, server)

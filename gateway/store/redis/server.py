"""All connections to whatever an address names, as a store needs them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.errors import SettingsError, StoreUnavailable
from gateway.store.redis.address import Kind, Place, read_address
from gateway.store.redis.connection import Target
from gateway.store.redis.doubt import Doubt
from gateway.store.redis.faults import unavailable
from gateway.store.redis.link import Admin, Link, Scripts
from gateway.store.redis.sentinel import Lookout, Master, Sentinels
from gateway.store.redis.wire import Wire

ADMIN_TIMEOUT_SECONDS = 0.5
"""At least so long for what no request waits for."""


@dataclass(slots=True)
class Server:
    """One that counts: by itself, as the master of the moment, or in a cluster."""

    admin: Admin
    scripts: Scripts
    patience_seconds: float
    """From a call to its answer, whatever happens in between."""
    doubt: Doubt = field(default_factory=lambda: Doubt(possible=False))
    lookout: Lookout | None = None

    def whenever_lost(self, tell: Callable[[StoreUnavailable], object]) -> None:
        if isinstance(self.scripts, Wire):
            self.scripts.on_lost = tell

    def start(self) -> None:
        if self.lookout is not None:
            self.lookout.begin()

    async def aclose(self) -> None:
        if self.lookout is not None:
            await self.lookout.end()
        await self.scripts.aclose()
        await self.admin.aclose()


def one_server(url: str, *, timeout_seconds: float, pipelined: bool = True) -> Server:
    """That of an address, or the master that its sentinels know of. Raises `SettingsError`.

    `pipelined`: over a connection of our own; else over redis-py's, for comparison.
    """
    address = read_address(url)
    admin_timeout = max(timeout_seconds, ADMIN_TIMEOUT_SECONDS)
    if address.kind is Kind.CLUSTER:
        raise SettingsError("store: this needs one server, and the address names a cluster.")
    if address.kind is Kind.ONE:
        link = Link(address.server, timeout_seconds=admin_timeout)
        if not pipelined:
            return Server(link, link, admin_timeout)
        wire = Wire(link.target(), timeout_seconds=timeout_seconds, acks=address.acks)
        return Server(link, wire, timeout_seconds)
    sentinels = Sentinels(address, timeout_seconds=admin_timeout)
    wire = Wire(
        Target(),
        timeout_seconds=timeout_seconds,
        acks=address.acks,
        masters=sentinels.masters,
    )

    def in_use() -> Place | None:
        return (wire.connected_to.host, wire.connected_to.port) if wire.connected_to else None

    server = Server(
        Master(sentinels, address, timeout_seconds=admin_timeout, in_use=in_use),
        wire,
        timeout_seconds,
        Doubt(possible=not address.acks),
        Lookout(sentinels, in_use=in_use, lose=lambda: wire.lose(unavailable("failed_over"))),
    )
    wire.on_other = server.doubt.begin
    return server

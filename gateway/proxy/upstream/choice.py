"""Several Upstreams as one: each exchange goes to the one that the Gateway has selected."""

from collections.abc import Mapping

from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.selection import EXTENSION
from gateway.proxy.upstream.port import Upstream


class UpstreamChoice:
    """See `port.Upstream`. Closes what it was given."""

    def __init__(self, by_name: Mapping[str, Upstream]) -> None:
        self._by_name = by_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._by_name[scope["extensions"][EXTENSION]](scope, receive, send)

    async def aclose(self) -> None:
        for upstream in self._by_name.values():
            await upstream.aclose()

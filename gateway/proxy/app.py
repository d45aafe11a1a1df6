"""What the public port serves: health, and the gateway."""

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from gateway.proxy.asgi import Receive, Scope, Send
from gateway.proxy.fault import described
from gateway.proxy.middleware import Gateway, refuse_websocket

_log = logging.getLogger(__name__)

DRAIN_S = 10.0
"""For what is left to settle after the server has closed its connections: more than all the tries
of one settlement."""


class ProxyApp:
    """Raw ASGI: a Starlette route would cost each proxied request more than its admission."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        ready: Callable[[], Awaitable[bool]],
        lifespan: Callable[[], AbstractAsyncContextManager[object]],
    ) -> None:
        """`ready` tells whether new traffic should come here.

        `lifespan` is entered before the first request and left after the last settlement.
        """
        self._gateway = gateway
        self._ready = ready
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await refuse_websocket(receive, send)
        elif scope["method"] == "GET" and scope["path"] == "/healthz":
            await _tell(send, 200, "ok")
        elif scope["method"] == "GET" and scope["path"] == "/readyz":
            await self._tell_readiness(send)
        else:
            await self._gateway(scope, receive, send)

    async def _tell_readiness(self, send: Send) -> None:
        try:
            ready = await self._ready()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is not readiness
            _log.error("readiness could not be told: %s", described(error))
            ready = False
        await _tell(send, 200 if ready else 503, "ready" if ready else "not ready")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        begun = False
        try:
            async with self._lifespan():
                begun = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await self._gateway.drain(DRAIN_S)
        except Exception as error:
            what = "shutdown" if begun else "startup"
            await send({"type": f"lifespan.{what}.failed", "message": described(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


async def _tell(send: Send, status: int, word: str) -> None:
    body = json.dumps({"status": word}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})

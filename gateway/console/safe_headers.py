"""What every answer of the operators' ports says to a browser."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.pages import POLICY


class SafeHeaders:
    """On every answer: nothing is cached, framed, sniffed or loaded from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(
                    {
                        "content-security-policy": POLICY,
                        "x-content-type-options": "nosniff",
                        "x-frame-options": "DENY",
                        "referrer-policy": "no-referrer",
                        "cross-origin-resource-policy": "same-origin",
                        "cache-control": "no-store",
                    }
                )
            await send(message)

        await self._app(scope, receive, send_safely)

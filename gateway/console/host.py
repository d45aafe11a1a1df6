"""Whether a request was meant for this machine, by the name that it calls it.

A page on another site can let its own name lead to 127.0.0.1 (DNS rebinding); to a browser what it
then reads here comes from its own site. Only the name in `Host` tells.
"""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import Address

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:@/]+))(?::\d*)?", re.IGNORECASE)
_MISDIRECTED = 421


def names_this_machine(host: str) -> bool:
    """`localhost` and addresses of the loopback: the admin port listens on nothing else."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1] or match[2]
    return Address(name.lower().removesuffix("."), 0).is_loopback


class ThisMachineOnly:
    """Answers 421 to whatever calls this machine by another name, to be read or changed alike."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or names_this_machine(Request(scope).headers.get("host", "")):
            await self._app(scope, receive, send)
            return
        reason = "The admin port answers to localhost, 127.0.0.1 and [::1] alone. Use one of these."
        await JSONResponse({"error": reason}, _MISDIRECTED)(scope, receive, send)

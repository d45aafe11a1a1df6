"""The server that we ship: uvicorn on uvloop, its parser pinned.

Of the parsers uvicorn can use, h11 failed 32 of 161 conformance and smuggling tests and httptools
12; `http="auto"` falls back to h11 in silence. So nothing is left to chance here.
"""

import asyncio
import importlib.util
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvicorn

from gateway.errors import SettingsError
from gateway.proxy.asgi import App

T = TypeVar("T")

KEEP_ALIVE_S = 75
"""As nginx has it: longer than the SDKs keep an idle connection, so that they close first."""

BACKLOG = 2048

LAST_PORT = 65535

REQUIRED = {"httptools": "HTTP parser", "uvloop": "event loop"}


def demand_parts() -> None:
    """Raises `SettingsError` if the parser or the loop that we promise is not installed."""
    for name, what in REQUIRED.items():
        if importlib.util.find_spec(name) is None:
            raise SettingsError(
                f"The {what} {name} is not installed, and gauger serves with no other. "
                f"Run: pip install {name}"
            )


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 chooses a free one. Raises `SettingsError`."""
    if not 0 <= port <= LAST_PORT:
        raise SettingsError(f"Cannot listen on {host}:{port}: ports end at {LAST_PORT}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingsError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


def configuration(app: App, *, grace_s: int) -> uvicorn.Config:
    """`grace_s`: how long exchanges may go on after SIGTERM before they are cancelled."""
    demand_parts()
    return uvicorn.Config(
        app,
        http="httptools",
        http2=False,
        loop="uvloop",
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,  # logging is the process's, not the server's
        access_log=False,
        proxy_headers=False,  # else any peer could choose its own address
        server_header=False,
        backlog=BACKLOG,
        workers=1,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=grace_s,
    )


def run(main: Coroutine[Any, Any, T]) -> T:
    """In a fresh uvloop."""
    demand_parts()
    factory = uvicorn.Config("", loop="uvloop", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)

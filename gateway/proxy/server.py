"""The server that we ship: uvicorn on uvloop, with a protocol of our own on a pinned parser.

Of the parsers uvicorn can use, h11 failed 32 of 161 conformance and smuggling tests and httptools
12; `http="auto"` falls back to h11 in silence. So nothing is left to chance here.
"""

import asyncio
import contextlib
import importlib.util
import resource
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvicorn

from gateway.errors import SettingsError
from gateway.proxy.asgi import App
from gateway.proxy.http_protocol import strict_http
from gateway.proxy.wire_limits import WireLimits

T = TypeVar("T")

BACKLOG = 2048

LAST_PORT = 65535

UNSENT_BYTES = 128 * 1024
"""What the kernel takes of an answer beyond what is on its way; by itself it takes megabytes of a
stream that nobody reads."""

DEFAULT_LIMITS = WireLimits()

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
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingsError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
    # uvloop does this itself; asyncio's own loop only for sockets that name their protocol. Without
    # it each second part of an answer waits for an acknowledgement, 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # accepted connections inherit it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return listener


def configuration(app: App, *, grace_s: int, limits: WireLimits = DEFAULT_LIMITS) -> uvicorn.Config:
    """`grace_s`: how long exchanges may go on after SIGTERM before they are cancelled."""
    demand_parts()
    return uvicorn.Config(
        app,
        http=strict_http(limits),
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
        timeout_graceful_shutdown=grace_s,
    )


def raise_file_limit() -> None:
    """To what the system allows: slow peers that only hold connections must not use them up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS names a limit that it does not allow
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(main: Coroutine[Any, Any, T]) -> T:
    """In a fresh uvloop."""
    demand_parts()
    raise_file_limit()
    factory = uvicorn.Config("", loop="uvloop", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)

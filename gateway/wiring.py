"""Where core, adapters and shell meet. Nothing else knows the clock or makes the parts.

A running gauger is two servers in one event loop: the callers' port and the operators'. The order
in which parts are opened is the reverse of that in which they close: first no new request, then the
last settlement, then the store and the last spans.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import gateway
from gateway.admission import Admission, Rules
from gateway.console import ConsoleStatus, make_console
from gateway.decision.finished import Finished
from gateway.decision.port import Store
from gateway.errors import SettingsError, StoreUnavailable
from gateway.facts.accounts import Accounts, parse_accounts
from gateway.facts.dialects.port import Headers
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.policy.parse import load
from gateway.policy_directory import read_texts
from gateway.proxy.app import ProxyApp
from gateway.proxy.asgi import App
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.intake import UpstreamKey
from gateway.proxy.middleware import Gateway
from gateway.proxy.server import configuration, listen
from gateway.proxy.serving import serving
from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings, UpstreamTimeouts
from gateway.proxy.upstream.target import UpstreamTarget
from gateway.settings import Address, Settings
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore
from gateway.telemetry import ExchangeTrace, Telemetry

_log = logging.getLogger(__name__)

Listener = Callable[[Finished], None]

TELEMETRY_SHUTDOWN_S = 3.0
"""A collector that does not answer must not hold up a stop."""


def wall_clock_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """Where a gauger can be found once it listens."""

    address: Address
    admin_address: Address | None


class _Told:
    """Telemetry, and whoever else wants to hear of each exchange (the demo, later recorders)."""

    def __init__(self, telemetry: Telemetry, listeners: Sequence[Listener]) -> None:
        self._telemetry = telemetry
        self._listeners = listeners
        self.begin: Callable[[Headers, int], ExchangeTrace] = telemetry.begin
        self.settlement_failed = telemetry.settlement_failed

    def finish(self, trace: ExchangeTrace, finished: Finished) -> None:
        self._telemetry.finish(trace, finished)
        for listener in self._listeners:
            listener(finished)


async def run_gateway(
    settings: Settings, *, on_started: Callable[[RunningGateway], None] | None = None
) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stop.set)
    try:
        async with gateway_running(settings) as running:
            if on_started is not None:
                on_started(running)
            await stop.wait()
    finally:
        for signal_ in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(signal_)


@contextlib.asynccontextmanager
async def gateway_running(
    settings: Settings, *, listeners: Sequence[Listener] = (), upstream_app: App | None = None
) -> AsyncIterator[RunningGateway]:
    """A whole gauger, listening while the block runs.

    `upstream_app` takes the place of the HTTP upstream: a model server in the same process.
    Raises `OperatorError` for what cannot be used, all of it before anything listens.
    """
    policies = load(read_texts(settings.policies))
    accounts = _accounts(settings.accounts)
    secret = Secret(settings.secret)
    target = UpstreamTarget.parse(settings.upstream)
    store = open_store(settings.store)
    telemetry = Telemetry.from_environment(
        os.environ,
        pseudonym=secret.pseudonym,
        trust_traceparent=settings.trust_traceparent,
        log_allowed=settings.log_allowed,
        upstream=(target.host, target.port),
    )
    telemetry.policies_in_force(policies.digest)
    rules = Rules(policies)
    started_at_us = wall_clock_us()

    async with contextlib.AsyncExitStack() as open_parts:
        open_parts.push_async_callback(telemetry.shutdown, TELEMETRY_SHUTDOWN_S)
        open_parts.push_async_callback(store.aclose)
        upstream = upstream_app
        if upstream is None:
            forwarding = HttpxUpstream(_upstream_settings(settings, target))
            open_parts.push_async_callback(forwarding.aclose)
            upstream = forwarding
        await _greet(store)
        gate = Gateway(
            upstream,
            admission=Admission(store, rules, OutputEstimator(), _new_reservation_id),
            identifier=Identifier(secret, accounts),
            telemetry=_Told(telemetry, listeners),
            limits=EdgeLimits(body_bytes=settings.body_limit_bytes),
            clock=wall_clock_us,
            upstream_key=UpstreamKey(settings.upstream_key) if settings.upstream_key else None,
        )

        async def status() -> ConsoleStatus:
            return ConsoleStatus(
                version=gateway.__version__,
                started_at_us=started_at_us,
                now_us=wall_clock_us(),
                policies=rules.policies,
                upstream=target.where,
                store=_store_name(settings.store),
                store_fault=await _fault(store),
                accounts=None if accounts is None else len(accounts),
                totals=telemetry.metrics.totals(),
            )

        app = ProxyApp(gate, ready=lambda: _is_ready(store), lifespan=contextlib.nullcontext)
        grace_s = max(1, round(settings.shutdown_grace_s))
        callers = _listen(settings.listen)
        await open_parts.enter_async_context(serving(configuration(app, grace_s=grace_s), callers))
        operators = None
        if settings.admin is not None:
            operators = _listen(settings.admin)
            console = make_console(
                recent=telemetry.recent, metrics_text=telemetry.metrics.text, status=status
            )
            await open_parts.enter_async_context(
                serving(configuration(console, grace_s=1), operators)
            )
        yield RunningGateway(_address(callers), _address(operators) if operators else None)


def open_store(url: str) -> MemoryStore | RedisStore:
    """`memory://`, or the URL of a Redis. Nothing is connected yet. Raises `SettingsError`."""
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryStore(wall_clock_us)
    if scheme in ("redis", "rediss", "unix"):
        return RedisStore(url)
    raise SettingsError(
        f'store: "{scheme}" is not known. Allowed: memory://, redis://HOST:PORT/DB, '
        "rediss:// (TLS), unix://PATH."
    )


async def _greet(store: MemoryStore | RedisStore) -> None:
    """Say at once what is wrong with the store; requests are refused until it answers."""
    if isinstance(store, MemoryStore):
        return
    try:
        await store.start()
    except StoreUnavailable as error:
        _log.error("The store does not answer (%s): requests are refused until it does.", error)
        return
    for warning in store.warnings:
        _log.warning("store: %s", warning)


async def _fault(store: Store) -> str | None:
    try:
        await store.ping()
    except StoreUnavailable as error:
        return error.kind
    return None


async def _is_ready(store: Store) -> bool:
    return await _fault(store) is None


def _accounts(path: Path | None) -> Accounts | None:
    if path is None:
        return None
    try:
        return parse_accounts(path.read_text(encoding="utf-8"), path.as_posix())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"accounts: {path} cannot be read: {reason}.") from error


def _upstream_settings(settings: Settings, target: UpstreamTarget) -> UpstreamSettings:
    return UpstreamSettings(
        target,
        UpstreamTimeouts(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s,
            idle_s=settings.idle_timeout_s,
        ),
    )


def _listen(address: Address) -> socket.socket:
    return listen(address.host, address.port)


def _address(listener: socket.socket) -> Address:
    host, port = listener.getsockname()[:2]
    return Address(host, port)


def _store_name(url: str) -> str:
    """Without user, password, host or database: what kind of store it is."""
    return url.partition("://")[0]


def _new_reservation_id() -> str:
    return secrets.token_hex(8)

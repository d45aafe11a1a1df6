"""A whole gauger: its parts, made and opened in order.

It is two servers in one event loop: the callers' port and the operators'. The order in which parts
are opened is the reverse of that in which they close: first no new request, then the last
settlement, then the operators' port, which shows how it goes, then the store and the last spans.
"""

import asyncio
import contextlib
import logging
import math
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import gateway
from gateway.admission import Admission, Rules
from gateway.console import AccountDesk, Census, ConsoleStatus, make_console
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.identity.key_sources import KeySources
from gateway.proxy.app import ProxyApp
from gateway.proxy.asgi import App
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.middleware import Gateway
from gateway.proxy.server import configuration, listen
from gateway.proxy.serving import serving
from gateway.reload import Reloaded
from gateway.settings import Address, Settings
from gateway.telemetry import Telemetry
from gateway.wiring.clock import wall_clock_us
from gateway.wiring.files import Callers, accounts_at, identities_at, policies_at, reloader_of
from gateway.wiring.in_force import in_force
from gateway.wiring.stores import greet, kind, open_store, standing
from gateway.wiring.told import Listener, Told
from gateway.wiring.upstreams import demand_others, open_upstreams, upstreams_of

_log = logging.getLogger(__name__)

TELEMETRY_SHUTDOWN_S = 3.0
"""A collector that does not answer must not hold up a stop."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """Where a gauger can be found once it listens."""

    address: Address
    admin_address: Address | None
    reload: Callable[[str], Awaitable[Sequence[Reloaded]]]
    """Policies and accounts anew; what occasioned it is for the log."""
    under_way: Callable[[], int]
    """How many exchanges."""
    cut: Callable[[], None]
    """Wait no longer for what is under way when the block ends."""


@contextlib.asynccontextmanager
async def gateway_running(
    settings: Settings, *, listeners: Sequence[Listener] = (), upstream_app: App | None = None
) -> AsyncIterator[RunningGateway]:
    """A whole gauger, listening while the block runs.

    `upstream_app` takes the place of the HTTP upstream: a model server in the same process.
    Raises `OperatorError` for what cannot be used, all of it before anything listens.
    """
    policies = policies_at(settings.policies)
    secret = Secret(settings.secret)
    accounts = (
        accounts_at(settings.accounts, secret.fingerprint())
        if settings.accounts is not None
        else None
    )
    upstreams = upstreams_of(settings)
    identities = (
        identities_at(settings.identities, upstream_key=any(one.key for one in upstreams.named))
        if settings.identities is not None
        else None
    )
    listening = [one for one in (settings.listen, settings.admin) if one is not None]
    telemetry = Telemetry.from_environment(
        os.environ,
        pseudonym=secret.pseudonym,
        trust_traceparent=settings.trust_traceparent,
        log_allowed=settings.log_allowed,
        upstreams={one.selector: (one.target.host, one.target.port) for one in upstreams.named},
    )
    store = open_store(
        settings.store,
        timeout_s=settings.store_timeout_s,
        replicas=settings.replicas,
        on_fault=telemetry.metrics.store_failed,
        secret_fingerprint=secret.fingerprint(),
    )
    rules = Rules(policies.value)
    census = Census(store.open_reservations, time.monotonic)
    started_at_us = wall_clock_us()
    stopping = asyncio.Event()

    async with contextlib.AsyncExitStack() as open_parts:
        key_sources = KeySources()
        open_parts.push_async_callback(key_sources.aclose)
        who_may_call = Callers(accounts, identities, key_sources)
        identifier = Identifier(secret, who_may_call.known())
        reloader = reloader_of(policies, rules, who_may_call, identifier, telemetry)
        open_parts.push_async_callback(telemetry.shutdown, TELEMETRY_SHUTDOWN_S)
        open_parts.push_async_callback(store.aclose)
        upstream = upstream_app
        if upstream is None:
            await demand_others(upstreams, listening)
            forwarding = open_upstreams(upstreams, settings)
            open_parts.push_async_callback(forwarding.aclose)
            upstream = forwarding
        await greet(store)
        gate = Gateway(
            upstream,
            admission=Admission(store, rules, OutputEstimator(), _new_reservation_id),
            identifier=identifier,
            telemetry=Told(telemetry, listeners),
            limits=EdgeLimits(
                body_bytes=settings.body_limit_bytes, step_tokens=settings.stream_step_tokens
            ),
            clock=wall_clock_us,
            select=upstreams.select,
            routes=lambda: rules.routes,
        )

        async def metrics_text() -> bytes:
            telemetry.metrics.reservations_open(await census.open_reservations())
            telemetry.metrics.store_is((await standing(store, rules.policies)).state)
            return telemetry.metrics.text()

        async def status() -> ConsoleStatus:
            found = await standing(store, rules.policies)
            return ConsoleStatus(
                version=gateway.__version__,
                started_at_us=started_at_us,
                now_us=wall_clock_us(),
                policies=rules.policies,
                upstream=upstreams.where,
                store=kind(settings.store),
                store_fault=found.fault,
                store_unready=found.unready,
                accounts=None if accounts is None else len(accounts.value),
                totals=telemetry.metrics.totals(),
                open_reservations=None if found.fault else await census.open_reservations(),
                refused=reloader.refused,
                stopping=stopping.is_set(),
            )

        async def ready() -> bool:
            return (await standing(store, rules.policies)).unready is None

        app = ProxyApp(gate, ready=ready, lifespan=contextlib.nullcontext)
        grace_s = math.ceil(settings.shutdown_grace_s)
        operators = None
        if settings.admin is not None:
            operators = _listen(settings.admin)
            console = make_console(
                recent=telemetry.recent,
                metrics_text=metrics_text,
                status=status,
                reload=lambda: reloader.reload("POST /reload"),
                accounts=AccountDesk(
                    store,
                    lambda: rules.policies,
                    lambda name: None if accounts is None else accounts.value.named(name),
                    wall_clock_us,
                ),
            )
            await open_parts.enter_async_context(
                serving(configuration(console, grace_s=1), operators)
            )
        callers = _listen(settings.listen)
        server = await open_parts.enter_async_context(
            serving(configuration(app, grace_s=grace_s), callers)
        )
        _log.info(
            "%s",
            in_force(
                policies.value,
                None if accounts is None else accounts.value,
                None if identities is None else identities.value,
                store=kind(settings.store),
                upstreams=upstreams.where,
            ),
        )
        await open_parts.enter_async_context(reloader.following(settings.reload_every_s))
        open_parts.callback(stopping.set)
        yield RunningGateway(
            _address(callers),
            _address(operators) if operators else None,
            reloader.reload,
            under_way=lambda: gate.passing,
            cut=server.cut,
        )


def _listen(address: Address) -> socket.socket:
    return listen(address.host, address.port)


def _address(listener: socket.socket) -> Address:
    host, port = listener.getsockname()[:2]
    return Address(host, port)


def _new_reservation_id() -> str:
    return secrets.token_hex(8)

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
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.admission import Admission, Rules
from gateway.console import AuditLog, Census, Operator
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.guessing import Guesses
from gateway.identity.key_sources import KeySources
from gateway.proxy.app import ProxyApp
from gateway.proxy.asgi import App
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.middleware import Gateway
from gateway.reload import Reloaded
from gateway.settings import Address, Settings
from gateway.telemetry import Telemetry
from gateway.wiring.clock import wall_clock_us
from gateway.wiring.files import Callers, accounts_at, identities_at, policies_at, reloader_of
from gateway.wiring.in_force import in_force
from gateway.wiring.operators import Operators
from gateway.wiring.ports import Port, open_port
from gateway.wiring.recorded import hearing_of_faults, keeping_bodies, recording_of
from gateway.wiring.stores import greet, kind, open_store, standing
from gateway.wiring.tls import admin_tls, callers_tls
from gateway.wiring.told import Listener, Told
from gateway.wiring.upstreams import demand_others, open_upstreams, upstreams_of
from gateway.wiring.watching import open_assessment

_log = logging.getLogger(__name__)

TELEMETRY_SHUTDOWN_S = 3.0
"""A collector that does not answer must not hold up a stop."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """Where a gauger can be found once it listens."""

    door: Port
    """For callers."""
    admin: Port | None
    probes: Port | None
    reload: Callable[[str], Awaitable[Sequence[Reloaded]]]
    """Policies and accounts anew; what occasioned it is for the log."""
    under_way: Callable[[], int]
    """How many exchanges."""
    cut: Callable[[], None]
    """Wait no longer for what is under way when the block ends."""

    @property
    def address(self) -> Address:
        return self.door.address

    @property
    def admin_address(self) -> Address | None:
        return None if self.admin is None else self.admin.address


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
    ports = (settings.listen, settings.admin, settings.probes)
    listening = [one for one in ports if one is not None]
    at_door, at_admin = callers_tls(settings), admin_tls(settings)
    audit = AuditLog(wall_clock_us, settings.audit_log)
    audit.demand_file()
    telemetry = Telemetry.from_environment(
        os.environ,
        pseudonym=secret.pseudonym,
        trust_traceparent=settings.trust_traceparent,
        log_allowed=settings.log_allowed,
        upstreams={one.selector: (one.target.host, one.target.port) for one in upstreams.named},
    )
    rules = Rules(policies.value)
    retry_jitter_us = round(settings.retry_jitter_s * 1_000_000)
    stopping = asyncio.Event()

    async with contextlib.AsyncExitStack() as open_parts:
        recording = recording_of(settings, secret, telemetry, open_parts)
        store = open_store(
            settings.store,
            timeout_s=settings.store_timeout_s,
            replicas=settings.replicas,
            on_fault=hearing_of_faults(telemetry, recording),
            secret_fingerprint=secret.fingerprint(),
        )
        key_sources = KeySources()
        open_parts.push_async_callback(key_sources.aclose)
        who_may_call = Callers(accounts, identities, key_sources)
        identifier = Identifier(secret, who_may_call.known(), Guesses(settings.guesses_per_minute))
        open_parts.push_async_callback(telemetry.shutdown, TELEMETRY_SHUTDOWN_S)
        open_parts.push_async_callback(store.aclose)
        upstream = upstream_app
        renewable = [one for one in (at_door, at_admin) if one is not None]
        if upstream is None:
            await demand_others(upstreams, listening)
            forwarding, towards_models = open_upstreams(upstreams, settings)
            renewable += towards_models
            open_parts.push_async_callback(forwarding.aclose)
            upstream = forwarding
        assessment = await open_assessment(
            open_parts,
            policies.value.behaviours,
            secret,
            store,
            reads_prompts=recording is not None,
        )
        reloader = reloader_of(
            policies,
            rules,
            who_may_call,
            identifier,
            telemetry,
            others=renewable,
            recording=recording,
            assessment=assessment,
        )
        await greet(store)
        gate = Gateway(
            upstream,
            admission=Admission(
                store,
                rules,
                OutputEstimator(),
                _new_reservation_id,
                retry_jitter_us=retry_jitter_us,
                journal=recording,
            ),
            identifier=identifier,
            telemetry=Told(telemetry, [*listeners, *([recording.finished] if recording else [])]),
            limits=EdgeLimits(
                body_bytes=settings.body_limit_bytes,
                exchanges=settings.max_exchanges,
                retry_jitter_us=retry_jitter_us,
                step_tokens=settings.stream_step_tokens,
            ),
            clock=wall_clock_us,
            select=upstreams.select,
            routes=lambda: rules.routes,
            keep_body=keeping_bodies(recording),
            assessment=assessment,
        )

        operators = Operators(
            settings=settings,
            telemetry=telemetry,
            store=store,
            rules=rules,
            census=Census(store.open_reservations, time.monotonic),
            reloader=reloader,
            accounts=accounts,
            key_sources=key_sources,
            audit=audit,
            recording=recording,
            assessment=assessment,
            upstreams=upstreams.where,
            started_at_us=wall_clock_us(),
            stopping=stopping,
        )

        async def reload(occasion: str) -> Sequence[Reloaded]:
            """As a person asked for it who is not at the admin port."""
            reloaded = await reloader.reload(occasion)
            audit.reloaded(Operator(occasion), reloaded)
            return reloaded

        async def ready() -> bool:
            return (await standing(store, rules.policies)).unready is None

        app = ProxyApp(gate, ready=ready, lifespan=contextlib.nullcontext)

        admin = await operators.open_console(open_parts, secret, at_admin)
        probes = await operators.open_probes(open_parts)
        door = await open_port(
            open_parts,
            app,
            settings.listen,
            grace_s=math.ceil(settings.shutdown_grace_s),
            tls=at_door,
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
            door,
            admin,
            probes,
            reload,
            under_way=lambda: gate.passing,
            cut=door.server.cut,
        )


def _new_reservation_id() -> str:
    return secrets.token_hex(8)

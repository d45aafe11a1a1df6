"""The operators' ports: the console with what it shows and does, and the probes."""

import asyncio
import contextlib
from dataclasses import dataclass, replace

import gateway
from gateway.admission import Rules
from gateway.assessment import Assessment
from gateway.console import (
    AccountDesk,
    AdminToken,
    AuditLog,
    Census,
    ConsoleStatus,
    FleetDesk,
    make_console,
    make_probes,
)
from gateway.facts.accounts import Accounts
from gateway.facts.principal import Account, Secret
from gateway.guessing import Guesses
from gateway.identity.key_sources import KeySources
from gateway.recording import Recording
from gateway.reload import Reloader, Written
from gateway.settings import Settings
from gateway.telemetry import Telemetry
from gateway.wiring.clock import wall_clock_us
from gateway.wiring.ports import Port, open_port
from gateway.wiring.stores import AnyStore, kind, standing
from gateway.wiring.tls import WrittenTls


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """What operators see and do, each time that they ask."""

    settings: Settings
    telemetry: Telemetry
    store: AnyStore
    rules: Rules
    census: Census
    reloader: Reloader
    accounts: Written[Accounts] | None
    key_sources: KeySources
    audit: AuditLog
    recording: Recording | None
    assessment: Assessment
    upstreams: str
    started_at_us: int
    stopping: asyncio.Event

    async def metrics_text(self) -> bytes:
        metrics = self.telemetry.metrics
        metrics.reservations_open(await self.census.open_reservations())
        metrics.store_is((await standing(self.store, self.rules.policies)).state)
        return metrics.text()

    async def status(self) -> ConsoleStatus:
        found = await standing(self.store, self.rules.policies)
        return ConsoleStatus(
            version=gateway.__version__,
            started_at_us=self.started_at_us,
            now_us=wall_clock_us(),
            policies=self.rules.policies,
            upstream=self.upstreams,
            store=kind(self.settings.store),
            store_fault=found.fault,
            store_unready=found.unready,
            accounts=None if self.accounts is None else len(self.accounts.value),
            totals=self.telemetry.metrics.totals(),
            open_reservations=None if found.fault else await self.census.open_reservations(),
            refused=self.reloader.refused,
            key_faults=self.key_sources.faults,
            stopping=self.stopping.is_set(),
        )

    async def open_console(
        self, parts: contextlib.AsyncExitStack, secret: Secret, tls: WrittenTls | None
    ) -> Port | None:
        """Closed with `parts`, as are the probes."""
        if self.settings.admin is None:
            return None
        console = make_console(
            recent=self.telemetry.recent,
            metrics_text=self.metrics_text,
            status=self.status,
            reload=lambda: self.reloader.reload("POST /reload"),
            accounts=self._desk(),
            fleets=FleetDesk(
                lambda: self.assessment.board,
                lambda: self.rules.policies.behaviours.score,
                wall_clock_us,
                self.audit,
            ),
            token=self._token(secret),
        )
        return await open_port(parts, console, self.settings.admin, grace_s=1, tls=tls)

    async def open_probes(self, parts: contextlib.AsyncExitStack) -> Port | None:
        where = self.settings.probes
        if where is None:
            return None
        probes = make_probes(
            status=self.status,
            metrics_text=self.metrics_text,
            with_metrics=self.settings.probes_metrics,
            this_machine_only=where.is_loopback,
        )
        return await open_port(parts, probes, where, grace_s=1)

    def _desk(self) -> AccountDesk:
        desk = AccountDesk(self.store, lambda: self.rules.policies, self._named, self.audit)
        return replace(desk, on_reset=self.recording.was_reset) if self.recording else desk

    def _named(self, account_id: str) -> Account | None:
        return None if self.accounts is None else self.accounts.value.named(account_id)

    def _token(self, secret: Secret) -> AdminToken | None:
        token = self.settings.admin_token
        if token is None:
            return None
        return AdminToken.of(secret, token, Guesses(self.settings.guesses_per_minute))

"""One exchange on its way through the gateway, from its first header to its settlement.

The order is fixed: what the request is, who asks, the whole body, what it may cost, and only then
the model API. From the moment that something may be reserved, `end` settles it, however the way
ends: it waits for nothing, so no cancellation can come between.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.admission import Admission, Permit
from gateway.assessment import Assessment
from gateway.behaviour.standing import Standing
from gateway.decision.finished import Ending
from gateway.decision.jitter import later_us
from gateway.decision.responses import obligations
from gateway.decision.settlement import Delivered, Settlement
from gateway.errors import (
    CallerError,
    ClientLeft,
    IdentityUnavailable,
    StoreUnavailable,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeout,
    UpstreamTruncated,
)
from gateway.facts.catalog import Facts
from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.route_table import RouteTable
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import UNREPORTED
from gateway.proxy.allowance import Allowance, QuotaSpent
from gateway.proxy.asgi import App, Message, Receive, Scope, Send
from gateway.proxy.background import Background
from gateway.proxy.departure import ClientWatch
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.fault import described
from gateway.proxy.identify import Identifier
from gateway.proxy.intake import (
    NO_KEY,
    receive_body,
    tagged,
    take_in,
    upstream_headers,
    upstream_scope,
)
from gateway.proxy.observer import Observer
from gateway.proxy.record import Record
from gateway.proxy.refusal import (
    INTERNAL,
    STOPPING,
    by_caller,
    by_upstream,
    overloaded,
    own_headers,
    send_answer,
)
from gateway.proxy.relay import Destination, Relay
from gateway.proxy.renewal import Renewal
from gateway.proxy.request_headers import TRACE_CONTEXT, read_headers
from gateway.proxy.route_path import canonical_path, canonical_query, demand_query, raw_path
from gateway.proxy.selection import EXTENSION, Select
from gateway.proxy.settling import settle

_log = logging.getLogger(__name__)

FAREWELL_S = 0.5
"""To tell a caller that the gateway stops."""

_ABORTS = frozenset({Ending.CLIENT_LEFT, Ending.SHUT_DOWN, Ending.FAILED})
"""Endings that call the model off; so does its being too slow."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all exchanges of one gateway share."""

    app: App
    admission: Admission
    identifier: Identifier
    telemetry: Observer[Any]
    limits: EdgeLimits
    clock: Callable[[], int]
    """The wall clock, in microseconds."""
    select: Select
    routes: Callable[[], RouteTable]
    assessment: Assessment
    keep_body: Callable[[str, bytes], None]
    """Hears of the request by its id, before it is judged."""
    name: bytes
    """What this very process says in `via`, by which it knows a request that it has forwarded."""
    background: Background = field(default_factory=Background)


class Passage:
    """`run`, then `end` in any case; both belong to one exchange."""

    def __init__(
        self, shared: Shared, request_id: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._shared = shared
        self._scope = scope
        self._receive = receive
        self._send = send
        self._raw_headers: Headers = list(scope["headers"])
        self._routes = shared.routes()
        self._dialect = self._routes.dialect_for(scope["path"], self._raw_headers)
        now_us = shared.clock()
        self._record = Record(request_id, now_us, scope["method"], shared.clock)
        self._trace = shared.telemetry.begin(
            [pair for pair in self._raw_headers if pair[0] in TRACE_CONTEXT], now_us
        )
        self._client = ClientWatch(receive, shared.background)
        self._body_read = False
        self._admitting: asyncio.Task[Permit] | None = None
        self._renewal: Renewal | None = None
        self._allowance: Allowance | None = None
        self._relay: Relay | None = None
        self._began = False
        """The request may have reached the model."""

    async def run(self) -> None:
        """Answers whatever can be answered.

        An answer that had begun and cannot be completed is left incomplete, so that the server
        closes the connection as broken.
        """
        try:
            await self._pass()
        except CallerError as error:
            await self._fail(by_caller(error), Ending.REJECTED)
        except IdentityUnavailable as error:
            refusal = Refusal(RefusalKind.IDENTITY_UNAVAILABLE, str(error))
            await self._fail(refusal, Ending.REJECTED)
        except ClientLeft:
            self.end(Ending.CLIENT_LEFT)
        except QuotaSpent as spent:
            await self._fail(spent.refusal, Ending.QUOTA_SPENT)
        except UpstreamError as error:
            await self._upstream_failed(error)
        except asyncio.CancelledError:
            await self._stopped()
            raise
        except Exception as error:  # noqa: BLE001  # a bug: told without content, and still settled
            _log.error("%s: %s", self._record.request_id, described(error))
            await self._fail(INTERNAL, Ending.FAILED)

    async def turn_away(self) -> None:
        """In the place of `run`, where there is no room for one more."""
        later = later_us(self._record.request_id, self._shared.limits.retry_jitter_us)
        await self._fail(overloaded(later), Ending.REJECTED)

    def end(self, ending: Ending) -> None:
        """The exchange is over; the first call counts. Settles in the background, and reports."""
        if self._record.ending is not None:
            return
        self._record.end(ending)
        self._client.stop()
        if self._admitting is None:
            self._report(None)
        else:
            self._shared.background.start(self._settle(self._admitting))

    async def _pass(self) -> None:
        record, shared = self._record, self._shared
        headers = record.headers = read_headers(self._raw_headers, shared.identifier.claims)
        headers.demand_no_ring(shared.name)
        path = canonical_path(raw_path(self._scope))
        query_string = canonical_query(self._scope.get("query_string", b""))
        match = self._routes.find(self._scope["method"], path, self._raw_headers)
        self._dialect = match.dialect
        record.dialect, record.route, record.path = match.dialect.name, match.route, path
        demand_query(match.route, query_string)
        principal = record.principal = await shared.identifier.principal(
            headers, self._peer_host(), record.started_at_us
        )
        body = await receive_body(
            self._receive, headers, match.route, cap_bytes=shared.limits.body_bytes
        )
        self._body_read = True
        assessment = shared.assessment
        intake = take_in(
            body, match, principal, headers, record.started_at_us, assessment.prompt_of
        )
        record.ask = intake.facts.ask
        async with self._client:
            if not match.route.opaque_body:
                shared.keep_body(record.request_id, body)
            standing = assessment.standing(intake.facts)
            seen, intake = intake.facts, intake.under(obligations(standing))
            permit = await self._admit(intake.facts, standing)
            assessment.observe(seen)
            if permit.decision.refusal is not None:
                await self._fail(permit.decision.refusal, Ending.REFUSED)
                return
            selected = shared.select(match.dialect.name, intake.facts.ask.model)
            record.upstream = selected.name
            forwarded = upstream_headers(
                headers,
                self._dialect,
                selected.key or (NO_KEY if principal.by_token else None),
                record.request_id,
                self._trace.upstream_headers(),
                own_name=shared.name,
            )
            forwarded = tagged(forwarded, permit.decision.obligations, assessment.headers)
            await self._forward(
                permit,
                upstream_scope(
                    self._scope, path, query_string, forwarded, {EXTENSION: selected.name}
                ),
                intake.body,
            )

    async def _admit(self, facts: Facts, standing: Standing) -> Permit:
        """Shielded: only an admission that is brought to its end tells what has to be settled."""
        self._admitting = self._shared.background.start(
            self._shared.admission.admit(facts, self._record.request_id, standing)
        )
        permit = await asyncio.shield(self._admitting)
        self._record.decision = permit.decision
        return permit

    async def _forward(self, permit: Permit, scope: Scope, body: bytes) -> None:
        shared, record = self._shared, self._record
        facts = permit.facts
        destination = Destination(
            self._dialect,
            facts.route,
            facts.ask,
            record.request_id,
            [
                *self._dialect.quota_headers(permit.decision.quota_states, shared.clock()),
                *own_headers(permit.decision, facts.principal),
            ],
            shared.limits.inspected_bytes,
        )
        self._allowance = allowance = Allowance(
            shared.admission, permit, shared.background, least_step=shared.limits.step_tokens
        )
        relay = Relay(
            destination, self._send, shared.clock, lambda: self.end(Ending.COMPLETED), allowance
        )
        self._relay = record.relay = relay
        self._renewal = Renewal(shared.admission, permit, shared.background)
        self._renewal.start()
        unread = [body]

        async def receive() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await self._client.departure()

        record.upstream_started_at_us = shared.clock()
        self._began = True
        await shared.app(scope, receive, relay.send)
        if relay.status is None:
            raise UpstreamProtocolError("no answer", sent=True)
        if not relay.ended:
            raise UpstreamTruncated("no end of the answer", sent=True)

    async def _stopped(self) -> None:
        """Nobody who does not read holds up the end."""
        # The server's word, RuntimeError, for a head whose sending was cancelled.
        with contextlib.suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(FAREWELL_S):
                await self._fail(STOPPING, Ending.SHUT_DOWN)

    async def _upstream_failed(self, error: UpstreamError) -> None:
        if self._record.ending is not None:
            return
        begun = self._relay is not None and self._relay.status is not None
        self._began = error.sent or begun
        self._record.upstream_error, self._record.upstream_fault = error.kind, str(error)
        ending = Ending.UPSTREAM_TRUNCATED if begun else Ending.UPSTREAM_FAILED
        await self._fail(by_upstream(error, begun=begun), ending)

    async def _fail(self, refusal: Refusal, ending: Ending) -> None:
        """Settled first: nothing that is owed waits for a reader."""
        record = self._record
        if record.ending is not None:
            return  # it was complete; what failed after that is the server's
        record.refusal = refusal
        with contextlib.suppress(ClientLeft, OSError):  # nobody is there to be told
            if self._relay is not None and self._relay.status is not None:
                self.end(ending)
                await self._relay.break_off(refusal)
                return
            quotas = record.decision.quota_states if record.decision else ()
            answer = self._dialect.refuse(refusal, quotas, record.request_id, self._shared.clock())
            record.status = answer.status
            self.end(ending)
            extra = [*self._closing(), *own_headers(record.decision, record.principal)]
            await send_answer(self._send, answer, extra)

    def _closing(self) -> Headers:
        """A body that was not read stands in the way of the next request."""
        unread = not self._body_read and (
            self._record.headers is None or self._record.headers.body_announced
        )
        by_us = unread and self._scope.get("http_version", "1.1").startswith("1")
        return [(b"connection", b"close")] if by_us else []

    async def _settle(self, admitting: asyncio.Task[Permit]) -> None:
        settlement: Settlement | None = None
        try:
            permit = await admitting
            if self._renewal is not None:
                await self._renewal.stop()
            if self._allowance is not None:
                permit = await self._allowance.stop()
            self._record.decision = permit.decision
            if permit.decision.allowed:
                settlement = await settle(
                    self._shared.admission,
                    permit,
                    self._relay.usage if self._relay else UNREPORTED,
                    self._delivered(permit),
                    self._record.request_id,
                )
                self._tell_of_answer(permit, settlement)
        except StoreUnavailable as error:
            self._shared.telemetry.settlement_failed(self._record.request_id, error.kind)
        finally:
            self._report(settlement)

    def _tell_of_answer(self, permit: Permit, settlement: Settlement | None) -> None:
        shared = self._shared
        if settlement is not None and shared.assessment.wants_answers:
            facts = shared.admission.answered(permit, settlement, shared.clock())
            shared.assessment.observe_answer(facts)

    def _delivered(self, permit: Permit) -> Delivered:
        relay = self._relay
        if relay is None or not self._began:
            return Delivered(began=False)
        seen = relay.output_tokens_seen
        estimate = permit.decision.estimate
        if seen is None:
            seen = estimate.output_tokens if estimate is not None else 0
        aborted = self._record.ending in _ABORTS or (
            self._record.upstream_error == UpstreamTimeout.kind
        )
        return Delivered(
            began=True,
            failed=relay.failed,
            output_tokens=seen,
            aborted=aborted,
            status=relay.status,
        )

    def _report(self, settlement: Settlement | None) -> None:
        try:
            self._shared.telemetry.finish(self._trace, self._record.finished(settlement))
        except Exception as error:  # noqa: BLE001  # no exchange fails for its trace
            _log.error("%s: %s", self._record.request_id, described(error))

    def _peer_host(self) -> str | None:
        client = self._scope.get("client")
        return client[0] if client else None

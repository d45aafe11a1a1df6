"""What becomes known of one exchange while it passes, until it is a `Finished`."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.decision.finished import Ending, Finished
from gateway.decision.outcome import Decision
from gateway.decision.settlement import Settlement
from gateway.facts.exchange import Ask, Route
from gateway.facts.principal import Principal
from gateway.facts.refusal import Refusal
from gateway.proxy.relay import Relay
from gateway.proxy.request_headers import RequestHeaders


@dataclass(slots=True)
class Record:
    request_id: str
    started_at_us: int
    method: str
    clock: Callable[[], int]
    dialect: str = ""
    route: Route | None = None
    path: str = ""
    """Of a known route, as it came and as it is forwarded."""
    headers: RequestHeaders | None = None
    ask: Ask | None = None
    principal: Principal | None = None
    decision: Decision | None = None
    refusal: Refusal | None = None
    status: int | None = None
    ending: Ending | None = None
    ended_at_us: int = 0
    upstream: str = ""
    upstream_error: str | None = None
    upstream_fault: str | None = None
    upstream_started_at_us: int | None = None
    upstream_ended_at_us: int | None = None
    relay: Relay | None = None

    def end(self, ending: Ending) -> None:
        self.ending = ending
        self.ended_at_us = self.clock()
        if self.upstream_started_at_us is not None:
            self.upstream_ended_at_us = self.ended_at_us

    def finished(self, settlement: Settlement | None) -> Finished:
        relay = self.relay
        answered = relay.answered if relay is not None else None
        upstream_status = relay.status if relay is not None else None
        return Finished(
            request_id=self.request_id,
            ending=self.ending or Ending.FAILED,
            started_at_us=self.started_at_us,
            ended_at_us=self.ended_at_us,
            method=self.method,
            path=self.path,
            dialect=self.dialect,
            route=self.route,
            ask=self.ask,
            principal=self.principal,
            status=upstream_status if upstream_status is not None else self.status,
            decision=self.decision,
            refusal=self.refusal,
            settlement=settlement,
            upstream=self.upstream,
            upstream_status=upstream_status,
            upstream_error=self.upstream_error,
            upstream_fault=self.upstream_fault,
            upstream_request_id=relay.upstream_request_id if relay is not None else None,
            upstream_model=answered.model if answered is not None else None,
            finish_reasons=answered.finish_reasons if answered is not None else (),
            upstream_started_at_us=self.upstream_started_at_us,
            first_byte_at_us=relay.first_byte_at_us if relay is not None else None,
            upstream_ended_at_us=self.upstream_ended_at_us,
            user_agent=self.headers.user_agent if self.headers else None,
            retry_count=self.headers.retry_count if self.headers else 0,
        )

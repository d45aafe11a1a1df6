"""One exchange after its end: everything that telemetry, logs and later records are written from.

No text of a prompt or an answer, no credential.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.decision.outcome import Decision
from gateway.decision.settlement import Settlement
from gateway.facts.exchange import Ask, Route
from gateway.facts.principal import Principal
from gateway.facts.refusal import Refusal


class Ending(StrEnum):
    """How an exchange ended. Each has a row in the table of settlements."""

    COMPLETED = "completed"
    """The answer was passed on to its end."""
    REFUSED = "refused"
    """By a policy; nothing was charged."""
    REJECTED = "rejected"
    """Never judged: not identified, unreadable, unknown route."""
    CLIENT_LEFT = "client_left"
    UPSTREAM_FAILED = "upstream_failed"
    """Unreachable, too slow, or not HTTP, before its head was passed on."""
    UPSTREAM_TRUNCATED = "upstream_truncated"
    """Broke off after its head was passed on."""
    QUOTA_SPENT = "quota_spent"
    """Broken off by us: the stream outgrew its reservation, and no more was granted."""
    SHUT_DOWN = "shut_down"
    """The gateway stopped."""
    FAILED = "failed"
    """A bug of ours."""


@dataclass(frozen=True, slots=True)
class Finished:
    request_id: str
    ending: Ending
    started_at_us: int
    """Of the wall clock, as are all `at_us`."""
    ended_at_us: int
    method: str
    path: str
    """The canonical path of a known route; otherwise empty, since a caller may write anything."""
    dialect: str
    route: Route | None
    ask: Ask | None
    principal: Principal | None
    status: int | None
    """What the client got; None if it left before any status."""
    decision: Decision | None
    refusal: Refusal | None
    """What we answered ourselves, if we did."""
    settlement: Settlement | None
    upstream: str = ""
    """The selector of the model API it went to; empty for the one of all that is not selected."""
    upstream_status: int | None = None
    upstream_error: str | None = None
    """`UpstreamError.kind`."""
    upstream_fault: str | None = None
    """Its text, which is for the operator: it names the host."""
    upstream_request_id: str | None = None
    upstream_model: str | None = None
    finish_reasons: tuple[str, ...] = ()
    upstream_started_at_us: int | None = None
    first_byte_at_us: int | None = None
    """When the first byte of the answer's body was passed on."""
    upstream_ended_at_us: int | None = None
    user_agent: str | None = None
    retry_count: int = 0
    """What the SDK says of its own retries (`x-stainless-retry-count`); forgeable."""

    @property
    def duration_us(self) -> int:
        return self.ended_at_us - self.started_at_us

"""Whom the proxy tells of an exchange: `gateway.telemetry.Telemetry`, as seen from here."""

from typing import Protocol, TypeVar

from gateway.decision.finished import Finished
from gateway.facts.dialects.port import Headers


class ExchangeTrace(Protocol):
    def upstream_headers(self) -> Headers:
        """What ties the upstream's trace to ours (`traceparent`)."""
        ...


Trace = TypeVar("Trace", bound=ExchangeTrace)


class Observer(Protocol[Trace]):
    def begin(self, headers: Headers, started_at_us: int) -> Trace:
        """`headers` are those of trace context alone; no credential is among them."""
        ...

    def finish(self, trace: Trace, finished: Finished) -> None:
        """Once for each exchange, however it ended."""
        ...

    def settlement_failed(self, request_id: str, kind: str) -> None:
        """The store stayed away and the reservation stands; `kind` is that of the last error."""
        ...

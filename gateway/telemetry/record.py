"""What the gateway tells about each exchange: one object, told at the beginning and at the end."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from gateway.decision.finished import Finished
from gateway.telemetry.decision_log import DecisionLog
from gateway.telemetry.exporters import exporting, shut_down
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.recent import RecentDecisions
from gateway.telemetry.spans import Tracing
from gateway.telemetry.summary import Summary, summarise
from gateway.telemetry.trace_context import Headers, Identifiers, passed_through

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ExchangeTrace:
    """What is known of an exchange's trace before it has ended."""

    started_at_us: int
    ids: Identifiers | None
    """None if nothing is traced."""
    passed: Headers
    ended: bool = False

    def upstream_headers(self) -> Headers:
        """To be sent upstream in the place of the client's own `traceparent` and `tracestate`."""
        return self.ids.upstream_headers() if self.ids else self.passed


class Telemetry:
    """Spans, metrics, the decision log and the recent decisions of one process.

    Make it in the process that serves: the exporter has a thread, which no fork takes along.
    """

    def __init__(
        self,
        *,
        tracing: Tracing | None = None,
        decision_log: DecisionLog | None = None,
        trust_traceparent: bool = False,
    ) -> None:
        self.metrics = Metrics()
        self.recent = RecentDecisions()
        self._tracing = tracing
        self._trusts = trust_traceparent
        self._writers: dict[str, Callable[[Summary], None]] = {
            "metrics": self.metrics.record,
            "recent": self.recent.add,
            "decision_log": (decision_log or DecisionLog()).write,
        }

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str],
        *,
        pseudonym: Callable[[str], str],
        trust_traceparent: bool = False,
        log_allowed: bool = False,
        upstreams: Mapping[str, tuple[str, int]] | None = None,
    ) -> Self:
        """Traces only if an `OTEL_*` variable names a collector; see `exporters`.

        `pseudonym` names an account to whoever reads traces. `upstreams` are the host and port of
        each model API, by its selector.
        """
        to = exporting(environ)
        tracing = (
            Tracing(
                to.processor,
                to.sampler,
                to.resource,
                pseudonym,
                trust_traceparent,
                upstreams or {},
            )
            if to
            else None
        )
        return cls(
            tracing=tracing,
            decision_log=DecisionLog(allowed_too=log_allowed),
            trust_traceparent=trust_traceparent,
        )

    @property
    def traces(self) -> bool:
        """Spans are exported."""
        return self._tracing is not None

    def begin(self, headers: Headers, started_at_us: int) -> ExchangeTrace:
        """`headers` are the client's, their names in lower case. `finish` must follow, once."""
        self.metrics.in_flight += 1
        if self._tracing:
            return ExchangeTrace(started_at_us, self._tracing.begin(headers), [])
        return ExchangeTrace(started_at_us, None, passed_through(headers) if self._trusts else [])

    def finish(self, trace: ExchangeTrace, finished: Finished) -> None:
        """Never raises, never waits. A second call for one trace does nothing."""
        if trace.ended:
            return
        trace.ended = True
        self.metrics.in_flight -= 1
        try:
            summary = summarise(finished)
        except Exception:  # noqa: BLE001  # an exchange must not fail because it cannot be told of
            self._failed("summary")
            return
        for writer, write in self._writers.items():
            self._guarded(writer, write, summary)
        tracing, ids = self._tracing, trace.ids
        if tracing and ids:
            self._guarded("spans", lambda told: tracing.write(ids, told), summary)

    def policies_in_force(self, digest: str) -> None:
        self.metrics.policies_in_force(digest)

    def settlement_failed(self, request_id: str, kind: str) -> None:
        """The store did not take a settlement; `kind` is that of `StoreUnavailable`."""
        self.metrics.settlement_failed(kind)
        _log.warning("Request %s stays charged as reserved: store %s.", request_id, kind)

    async def shutdown(self, timeout_s: float) -> None:
        """Sends the last spans, for so long at most."""
        if self._tracing:
            await shut_down(self._tracing.processor, timeout_s)

    def _guarded(self, writer: str, write: Callable[[Summary], None], summary: Summary) -> None:
        try:
            write(summary)
        except Exception:  # noqa: BLE001  # as above; the others still get it
            self._failed(writer)

    def _failed(self, writer: str) -> None:
        """Logged once for each writer: a fault in every exchange must not fill the log as well."""
        if self.metrics.telemetry_failed(writer) == 1:
            _log.exception(
                "Telemetry (%s) cannot record an exchange; further ones count only.", writer
            )

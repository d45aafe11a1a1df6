"""Writes the two spans of an exchange, by hand, when it has ended.

The ids are given out at the beginning (they travel upstream); everything else is written at the end
from the `Summary`, so what is not recorded costs nothing and a refusal can be recorded whatever the
sampler said. ASGI instrumentation, by contrast, makes a span for every chunk of a stream (measured:
500 chunks, 500 spans).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway import __version__
from gateway.decision.finished import Finished
from gateway.telemetry import span_attributes
from gateway.telemetry.line_cap import LineCap
from gateway.telemetry.span_attributes import Attributes
from gateway.telemetry.summary import Ruling, Summary, Word
from gateway.telemetry.trace_context import Headers, Identifiers, identifiers

_SCOPE = InstrumentationScope("gauger", __version__)

REFUSALS_PER_S = 20
"""How many refusals a second are recorded although the sampler left them out. An operator who
samples 1 % still wants to see why somebody is refused; a flood of refusals must not cost more."""


@dataclass(slots=True)
class Tracing:
    """Exists only where something is exported."""

    processor: SpanProcessor
    sampler: Sampler
    resource: Resource
    pseudonym: Callable[[str], str]
    trust_traceparent: bool = False
    upstreams: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Host and port of each model API, by its selector."""
    _refusals: LineCap = field(default_factory=lambda: LineCap(REFUSALS_PER_S))

    def begin(self, headers: Headers) -> Identifiers:
        return identifiers(headers, self.sampler, trusted=self.trust_traceparent)

    def write(self, ids: Identifiers, summary: Summary) -> None:
        finished = summary.finished
        refused = summary.word in (Word.THROTTLE, Word.DENY)
        if not ids.sampled and not (refused and self._refusals.take(finished.ended_at_us)):
            return
        server = _recorded(ids.server)
        if finished.upstream_started_at_us is not None:
            self.processor.on_end(self._client_span(summary, _recorded(ids.client), server))
        self.processor.on_end(self._server_span(summary, ids, server))

    def _server_span(self, summary: Summary, ids: Identifiers, own: SpanContext) -> ReadableSpan:
        finished = summary.finished
        return self._span(
            span_attributes.server_name(finished),
            SpanKind.SERVER,
            own=own,
            parent=ids.parent,
            attributes=span_attributes.server(summary, self.pseudonym),
            times_us=(finished.started_at_us, finished.ended_at_us),
            failure=_described(finished, span_attributes.server_failure(finished)),
            events=[_event(summary, ruling) for ruling in summary.rulings],
            links=[Link(ids.linked)] if ids.linked else [],
        )

    def _client_span(self, summary: Summary, own: SpanContext, parent: SpanContext) -> ReadableSpan:
        finished = summary.finished
        started_us = finished.upstream_started_at_us or finished.started_at_us
        return self._span(
            span_attributes.client_name(finished),
            SpanKind.CLIENT,
            own=own,
            parent=parent,
            attributes=span_attributes.client(finished, self.upstreams.get(finished.upstream)),
            times_us=(started_us, started_us + summary.upstream_us),
            failure=_described(finished, span_attributes.client_failure(finished)),
        )

    def _span(
        self,
        name: str,
        kind: SpanKind,
        *,
        own: SpanContext,
        parent: SpanContext | None,
        attributes: Attributes,
        times_us: tuple[int, int],
        failure: str | None,
        events: Sequence[Event] = (),
        links: Sequence[Link] = (),
    ) -> ReadableSpan:
        """The SDK advises against making this class by hand: it wants spans measured as they run.

        Ours are complete when they are made, so its tracer would only add locks and copies.
        """
        return ReadableSpan(
            name,
            context=own,
            parent=parent,
            resource=self.resource,
            attributes=attributes,
            events=events,
            links=links,
            kind=kind,
            status=Status(StatusCode.ERROR, failure) if failure else Status(StatusCode.UNSET),
            start_time=times_us[0] * 1000,
            end_time=times_us[1] * 1000,
            instrumentation_scope=_SCOPE,
        )


def _recorded(context: SpanContext) -> SpanContext:
    """The processor passes on only what is marked as sampled."""
    if context.trace_flags.sampled:
        return context
    return SpanContext(
        context.trace_id,
        context.span_id,
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=context.trace_state,
    )


def _described(finished: Finished, failure: str | None) -> str | None:
    """What the model API did, where that is known better than by one word."""
    return (finished.upstream_fault or failure) if failure else None


def _event(summary: Summary, ruling: Ruling) -> Event:
    finished = summary.finished
    decided_us = finished.upstream_started_at_us or finished.ended_at_us
    return Event(
        span_attributes.EVENT,
        attributes=span_attributes.ruling(summary, ruling),
        timestamp=decided_us * 1000,
    )

"""Which trace an exchange belongs to: `traceparent` in and out.

A client's `traceparent` is a matter of trust. Inside a mesh it is the parent; at an edge it would
let anybody write into our traces and choose what is sampled, so there it becomes a link of a new
root. `baggage` is never passed on: it carries what the client likes to whoever listens behind us.
"""

from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Headers = list[tuple[bytes, bytes]]

_PARENT = b"traceparent"
_STATE = b"tracestate"
_MAX_VALUE_BYTES = 512
"""Of each of the two (W3C Trace Context, 3.3.1.5, for the state). Longer ones are ignored here,
since OpenTelemetry would log a line for each, and a client could fill the log."""

_propagator = TraceContextTextMapPropagator()
_ids = RandomIdGenerator()


@dataclass(frozen=True, slots=True)
class Identifiers:
    """The ids of both spans of one exchange, known before anything is recorded."""

    server: SpanContext
    client: SpanContext
    parent: SpanContext | None
    """A caller's span that we trust."""
    linked: SpanContext | None
    """A caller's span that we do not trust."""

    @property
    def sampled(self) -> bool:
        return self.server.trace_flags.sampled

    def upstream_headers(self) -> Headers:
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, set_span_in_context(NonRecordingSpan(self.client), Context()))
        return [(name.encode(), value.encode()) for name, value in carrier.items()]


def identifiers(headers: Headers, sampler: Sampler, *, trusted: bool) -> Identifiers:
    """New ids, sampled or not; in the caller's trace if it is trusted."""
    caller = callers_span(headers, with_state=trusted)
    parent = caller if trusted else None
    trace_id = parent.trace_id if parent else _ids.generate_trace_id()
    context = set_span_in_context(NonRecordingSpan(parent), Context()) if parent else Context()
    sampling = sampler.should_sample(context, trace_id, "", SpanKind.SERVER)
    sampled = sampling.decision is Decision.RECORD_AND_SAMPLE
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return Identifiers(
        _own_span(trace_id, flags, sampling.trace_state),
        _own_span(trace_id, flags, sampling.trace_state),
        parent,
        None if trusted else caller,
    )


def callers_span(headers: Headers, *, with_state: bool) -> SpanContext | None:
    """None if the caller names none, or more than one, or none that can be read.

    A link needs no `tracestate`, and OpenTelemetry logs every member of one that it cannot read:
    from a stranger that would be a way into the log.
    """
    parents = [value for name, value in headers if name == _PARENT]
    states = [value for name, value in headers if with_state and name == _STATE]
    if len(parents) != 1 or len(parents[0]) > _MAX_VALUE_BYTES:
        return None
    carrier = {_PARENT.decode(): parents[0].decode("latin-1")}
    if states and len(state := b",".join(states)) <= _MAX_VALUE_BYTES:
        carrier[_STATE.decode()] = state.decode("latin-1")
    span = get_current_span(_propagator.extract(carrier, Context())).get_span_context()
    return span if span.is_valid else None


def passed_through(headers: Headers) -> Headers:
    """For a gateway that takes no part in tracing but stands in a trusted mesh."""
    return [(name, value) for name, value in headers if name in (_PARENT, _STATE)]


def _own_span(trace_id: int, flags: TraceFlags, state: TraceState | None) -> SpanContext:
    return SpanContext(
        trace_id, _ids.generate_span_id(), is_remote=False, trace_flags=flags, trace_state=state
    )

"""Where spans go, by the usual `OTEL_*` variables; nowhere at all unless one of them says so.

What decides whether and where is read here, from the mapping that is passed in. The rest (headers,
certificates, compression, batch sizes, resource attributes) OpenTelemetry reads for itself from the
process's environment. Only OTLP over HTTP with protobuf is spoken.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)

_log = logging.getLogger(__name__)

_SIGNAL_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_DEFAULT_ENDPOINT = "http://localhost:4318"
_SPOKEN = "http/protobuf"

_SAMPLERS: Mapping[str, Callable[[float], Sampler]] = {
    "always_on": lambda _: ALWAYS_ON,
    "always_off": lambda _: ALWAYS_OFF,
    "traceidratio": TraceIdRatioBased,
    "parentbased_always_on": lambda _: DEFAULT_ON,
    "parentbased_always_off": lambda _: DEFAULT_OFF,
    "parentbased_traceidratio": ParentBasedTraceIdRatio,
}


@dataclass(frozen=True, slots=True)
class Exporting:
    """Everything that OpenTelemetry needs to be told about this process."""

    processor: SpanProcessor
    sampler: Sampler
    resource: Resource


def exporting(environ: Mapping[str, str]) -> Exporting | None:
    """None if nothing is to be exported. Starts the thread that sends the batches."""
    endpoint = _endpoint(environ)
    if endpoint is None:
        return None
    sampler = sampler_of(environ)
    if sampler is ALWAYS_OFF:
        return None
    return Exporting(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)), sampler, _resource(environ)
    )


def sampler_of(environ: Mapping[str, str]) -> Sampler:
    """By `OTEL_TRACES_SAMPLER`; a word we do not know samples everything, as the default does."""
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_on"
    if name not in _SAMPLERS:
        _log.warning(
            "OTEL_TRACES_SAMPLER=%s is not known here; everything is traced. Known: %s.",
            name,
            ", ".join(_SAMPLERS),
        )
        return DEFAULT_ON
    return _SAMPLERS[name](_ratio(environ.get("OTEL_TRACES_SAMPLER_ARG", "")))


async def shut_down(processor: SpanProcessor, timeout_s: float) -> bool:
    """Sends what is left, for so long at most. False if something may be lost.

    OpenTelemetry's own shutdown waits for a dead collector (6.3 s measured, 30 s possible), so it
    runs in a thread that nobody has to wait for.
    """
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def run() -> None:
        processor.shutdown()
        with contextlib.suppress(RuntimeError):  # the loop may have closed meanwhile
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="gauger-telemetry-shutdown", daemon=True).start()
    try:
        await asyncio.wait_for(done.wait(), timeout_s)
    except TimeoutError:
        _log.warning("The trace collector did not take the last spans within %g s.", timeout_s)
        return False
    return True


def _endpoint(environ: Mapping[str, str]) -> str | None:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    chosen = {
        word.strip().lower() for word in environ.get("OTEL_TRACES_EXPORTER", "").split(",")
    } - {""}
    endpoint = environ.get(_SIGNAL_ENDPOINT, "").strip()
    if not endpoint and (root := environ.get(_ENDPOINT, "").strip()):
        endpoint = root.rstrip("/") + "/v1/traces"
    if not endpoint and "otlp" in chosen:
        endpoint = _DEFAULT_ENDPOINT + "/v1/traces"
    if not endpoint or "none" in chosen:
        return None
    if chosen and "otlp" not in chosen:
        _log.warning(
            "OTEL_TRACES_EXPORTER=%s: no traces are exported. Allowed: otlp, none.",
            ",".join(sorted(chosen)),
        )
        return None
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", _SPOKEN
    )
    if protocol != _SPOKEN:
        _log.warning("OTEL_EXPORTER_OTLP_PROTOCOL=%s is not spoken; %s is used.", protocol, _SPOKEN)
    return endpoint


def _resource(environ: Mapping[str, str]) -> Resource:
    """The service is called gauger unless the environment names it."""
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Resource.create({} if named else {SERVICE_NAME: "gauger"})


def _ratio(text: str) -> float:
    try:
        ratio = float(text or "1")
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        _log.warning("OTEL_TRACES_SAMPLER_ARG=%s is not between 0 and 1; 1 is used.", text)
        return 1.0
    return ratio

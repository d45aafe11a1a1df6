import asyncio
import threading

import pytest
from opentelemetry.sdk.resources import SERVICE_NAME
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import DEFAULT_ON, ParentBasedTraceIdRatio, TraceIdRatioBased

from gateway.telemetry import Telemetry
from gateway.telemetry.exporters import Exporting, exporting, sampler_of
from tests.parts.otlp_receiver import OtlpReceiver
from tests.telemetry import exchanges

SOMEWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


def endpoint_of(to: Exporting | None) -> str:
    assert to is not None
    assert isinstance(to.processor, BatchSpanProcessor)
    processor: SpanProcessor = to.processor
    processor.shutdown()
    return str(to.processor.span_exporter._endpoint)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        SOMEWHERE | {"OTEL_SDK_DISABLED": "true"},
        SOMEWHERE | {"OTEL_TRACES_EXPORTER": "none"},
        SOMEWHERE | {"OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"},
    ],
)
def test_nothing_is_exported_and_no_thread_started_unless_somebody_asks(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    before = threading.active_count()
    assert exporting(environ) is None
    assert threading.active_count() == before
    assert not caplog.records


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        (
            SOMEWHERE | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/own/path"},
            "http://c/own/path",
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "http://localhost:4318/v1/traces"),
    ],
)
def test_spans_go_where_the_usual_variables_say(environ: dict[str, str], endpoint: str) -> None:
    assert endpoint_of(exporting(environ)) == endpoint


def test_an_exporter_that_we_do_not_have_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert exporting(SOMEWHERE | {"OTEL_TRACES_EXPORTER": "zipkin"}) is None
    assert "OTEL_TRACES_EXPORTER=zipkin" in caplog.text
    assert "otlp, none" in caplog.text


def test_a_protocol_that_we_do_not_speak_is_named(caplog: pytest.LogCaptureFixture) -> None:
    endpoint_of(exporting(SOMEWHERE | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}))
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in caplog.text


def test_samplers_are_known_by_their_usual_names() -> None:
    assert sampler_of({}) is DEFAULT_ON
    ratio = sampler_of({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"})
    assert isinstance(ratio, TraceIdRatioBased)
    assert ratio.rate == 0.25
    parent = sampler_of({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"})
    assert isinstance(parent, ParentBasedTraceIdRatio)


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"OTEL_TRACES_SAMPLER": "sometimes"}, "OTEL_TRACES_SAMPLER=sometimes"),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "7"},
            "OTEL_TRACES_SAMPLER_ARG=7",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "half"},
            "OTEL_TRACES_SAMPLER_ARG=half",
        ),
    ],
)
def test_a_sampler_that_cannot_be_read_is_named_and_everything_traced(
    environ: dict[str, str], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    sampler = sampler_of(environ)
    assert complaint in caplog.text
    assert sampler is DEFAULT_ON or (isinstance(sampler, TraceIdRatioBased) and sampler.rate == 1)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "gauger"),
        ({"OTEL_SERVICE_NAME": "edge"}, "edge"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=inner,a=b"}, "inner"),
    ],
)
def test_the_service_is_called_gauger_unless_it_has_a_name(
    environ: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    to = exporting(SOMEWHERE | environ)
    endpoint_of(to)
    assert to is not None
    assert to.resource.attributes[SERVICE_NAME] == name


async def test_a_collector_that_never_answers_holds_up_neither_requests_nor_the_end(
    collector: OtlpReceiver,
    exporting_environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
    collector.answering.clear()
    threads = set(threading.enumerate())
    telemetry = Telemetry.from_environment(exporting_environ, pseudonym=str)
    for _ in range(3):
        telemetry.finish(telemetry.begin([], exchanges.BEGAN_US), exchanges.answered())
    await collector.asked.wait()
    for _ in range(50):  # many times what the queue holds
        telemetry.finish(telemetry.begin([], exchanges.BEGAN_US), exchanges.answered())

    await telemetry.shutdown(0.05)  # returns although nobody has answered

    assert not collector.answering.is_set()
    assert "did not take the last spans within 0.05 s" in caplog.text
    collector.answering.set()
    await collector.spans(1)
    for thread in set(threading.enumerate()) - threads:
        if thread.name.startswith(("Otel", "gauger")):
            await asyncio.to_thread(thread.join)


async def test_a_collector_that_is_not_there_costs_the_spans_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    telemetry = Telemetry.from_environment(SOMEWHERE, pseudonym=str)
    telemetry.finish(telemetry.begin([], exchanges.BEGAN_US), exchanges.answered())
    await telemetry.shutdown(10)
    assert telemetry.metrics.totals().allowed == 1

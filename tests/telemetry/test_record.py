import logging
import secrets
import threading
from typing import Any

import pytest

from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.telemetry import Telemetry, spans, trace_context
from gateway.telemetry.decision_log import LOGGER
from gateway.telemetry.trace_context import Headers
from tests.parts.otlp_receiver import OtlpReceiver
from tests.telemetry import exchanges

CALLER: Headers = [
    (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    (b"tracestate", b"vendor=1"),
    (b"baggage", b"customer=7"),
    (b"authorization", b"Bearer sk-1"),
]


def test_an_exchange_is_in_flight_from_its_beginning_to_its_end() -> None:
    telemetry = Telemetry()
    trace = telemetry.begin([], exchanges.BEGAN_US)
    assert telemetry.metrics.totals().in_flight == 1
    telemetry.finish(trace, exchanges.answered())
    assert telemetry.metrics.totals().in_flight == 0


def test_a_second_finish_does_nothing() -> None:
    telemetry = Telemetry()
    trace = telemetry.begin([], exchanges.BEGAN_US)
    telemetry.finish(trace, exchanges.answered())
    telemetry.finish(trace, exchanges.answered())
    totals = telemetry.metrics.totals()
    assert (totals.in_flight, totals.allowed) == (0, 1)


def test_the_recent_decisions_are_kept() -> None:
    telemetry = Telemetry()
    telemetry.finish(telemetry.begin([], exchanges.BEGAN_US), exchanges.refused())
    assert [row["decision"] for row in telemetry.recent.rows()] == ["throttle"]


def test_without_a_collector_nothing_of_a_trace_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def built(*_: object, **__: object) -> None:
        pytest.fail("a span was built that nobody will see")

    monkeypatch.setattr(spans, "ReadableSpan", built)
    monkeypatch.setattr(spans, "Event", built)
    monkeypatch.setattr(trace_context, "SpanContext", built)
    before = threading.active_count()
    telemetry = Telemetry.from_environment({}, pseudonym=str)
    trace = telemetry.begin(CALLER, exchanges.BEGAN_US)
    assert trace.upstream_headers() == []
    telemetry.finish(trace, exchanges.answered())
    assert not telemetry.traces
    assert threading.active_count() == before
    assert telemetry.metrics.totals().allowed == 1


def test_without_a_collector_a_trusted_trace_passes_through_untouched() -> None:
    telemetry = Telemetry.from_environment({}, pseudonym=str, trust_traceparent=True)
    assert telemetry.begin(CALLER, exchanges.BEGAN_US).upstream_headers() == CALLER[:2]


async def test_without_a_collector_there_is_nothing_to_shut_down() -> None:
    await Telemetry.from_environment({}, pseudonym=str).shutdown(0)


@pytest.mark.parametrize("broken", ["metrics", "recent", "decision_log"])
def test_a_writer_that_fails_takes_nothing_else_along(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry = Telemetry()
    intact = "recent" if broken != "recent" else "metrics"
    seen: list[object] = []

    def fail(_: object) -> None:
        raise RuntimeError(broken)

    telemetry._writers |= {broken: fail, intact: seen.append}
    for _ in range(3):
        telemetry.finish(telemetry.begin([], exchanges.BEGAN_US), exchanges.refused())
    assert len(seen) == 3
    assert [r.levelname for r in caplog.records if r.name == "gateway.telemetry.record"] == [
        "ERROR"
    ]
    assert f'gateway_telemetry_errors_total{{writer="{broken}"}} 3.0' in (
        telemetry.metrics.text().decode()
    )


def test_an_exchange_that_cannot_be_read_is_still_no_longer_in_flight(
    caplog: pytest.LogCaptureFixture,
) -> None:
    telemetry = Telemetry()
    nonsense: Any = object()
    telemetry.finish(telemetry.begin([], exchanges.BEGAN_US), nonsense)
    assert telemetry.metrics.totals().in_flight == 0
    assert "Telemetry (summary)" in caplog.text


def test_a_settlement_that_failed_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = Telemetry()
    telemetry.settlement_failed("req_9", "timeout")
    assert "req_9" in caplog.text
    assert "gateway_settlement_failures_total" in telemetry.metrics.text().decode()


async def test_no_key_prompt_or_end_user_comes_out_anywhere(
    collector: OtlpReceiver,
    exporting_environ: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    canaries = {
        name: f"canary{secrets.token_hex(16)}"
        for name in ("key", "state", "user", "session", "path")
    }
    key = canaries["key"]
    headers: Headers = [
        *CALLER[:1],
        (b"tracestate", canaries["state"].encode()),
        (b"authorization", f"Bearer {key}".encode()),
        (b"x-api-key", key.encode()),
        (b"baggage", f"prompt={key}".encode()),
        (b"cookie", key.encode()),
    ]
    asked: dict[str, Any] = {
        "ask": Ask("small", end_user=canaries["user"], session=canaries["session"]),
        "principal": Principal(Account(exchanges.SECRET.anonymous_account_id(key))),
    }
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger=LOGGER)
    telemetry = Telemetry.from_environment(
        exporting_environ, pseudonym=exchanges.SECRET.pseudonym, log_allowed=True
    )
    sent: list[Headers] = []
    for finished in (
        exchanges.answered(**asked),
        exchanges.refused(**asked),
        exchanges.without_store(),
        exchanges.rejected(route=None, path="", method=canaries["path"]),
    ):
        trace = telemetry.begin(headers, exchanges.BEGAN_US)
        sent.append(trace.upstream_headers())
        telemetry.finish(trace, finished)
    await telemetry.shutdown(10)

    outputs = {
        "spans": b"".join(collector.bodies).decode("latin-1"),
        "log": caplog.text,
        "metrics": telemetry.metrics.text().decode(),
        "recent": str(telemetry.recent.rows()),
        "upstream": str(sent),
    }
    assert len(collector.arrived) == 5
    assert all(outputs.values())
    for where, output in outputs.items():
        for what, canary in canaries.items():
            assert canary not in output, f"the {what} stands in the {where}"

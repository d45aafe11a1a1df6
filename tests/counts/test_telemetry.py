"""What an exchange costs those who watch: spans, and updates of metrics."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import prometheus_client
import pytest

from gateway.telemetry.metrics import Tally
from tests.counts.stage import GENEROUS, ONCE, whole
from tests.parts.otlp_receiver import otlp_receiver


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Updates of metrics, by the kind of metric."""
    counted: Counter[str] = Counter()

    def count(of: type, method: str) -> None:
        update = getattr(of, method)

        def counting(self: object, *args: Any, **kwargs: Any) -> None:
            counted[of.__name__] += 1
            update(self, *args, **kwargs)

        monkeypatch.setattr(of, method, counting)

    count(prometheus_client.Histogram, "observe")
    count(prometheus_client.Counter, "inc")
    count(prometheus_client.Gauge, "set")
    count(prometheus_client.Gauge, "inc")
    count(Tally, "add")
    return counted


@pytest.mark.parametrize(
    ("policies", "spans"),
    [pytest.param(GENEROUS, 2, id="served"), pytest.param(ONCE, 1, id="refused")],
)
async def test_an_answer_is_two_spans_and_a_refusal_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policies: str, spans: int
) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with otlp_receiver() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        async with whole(tmp_path, policies) as gauger:
            for stream in (False, True):
                await gauger.ask(stream=stream)
        # One that has stopped has sent all that it had, the two of its first exchange included.
        assert len(collector.arrived) == 2 + 2 * spans


async def test_an_answer_is_three_updates_of_histograms_and_no_other_of_the_library(
    tmp_path: Path, updates: Counter[str]
) -> None:
    async with whole(tmp_path) as gauger:
        updates.clear()
        await gauger.ask()
        # One of requests, one of decisions, one of settlements, two of tokens.
        assert updates == {"Histogram": 3, "Tally": 5}


async def test_a_refusal_is_two(tmp_path: Path, updates: Counter[str]) -> None:
    async with whole(tmp_path, ONCE) as gauger:
        updates.clear()
        await gauger.ask()
        assert updates == {"Histogram": 2, "Tally": 2}

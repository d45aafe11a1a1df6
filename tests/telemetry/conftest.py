"""A collector on loopback, and a telemetry that exports to it as the environment says."""

import os
from collections.abc import AsyncIterator

import pytest

from tests.parts.otlp_receiver import OtlpReceiver, otlp_receiver


@pytest.fixture(autouse=True)
def _no_otel_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def collector() -> AsyncIterator[OtlpReceiver]:
    async with otlp_receiver() as receiver:
        yield receiver


@pytest.fixture
def exporting_environ(collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an operator sets, in the process's environment too, where OpenTelemetry reads it."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "5",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ

"""The recording that settings ask for, and who tells it what."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from gateway.facts.principal import Secret
from gateway.recording import Recording
from gateway.settings import Settings
from gateway.telemetry import Telemetry
from gateway.wiring.clock import wall_clock_us
from gateway.wiring.stores import kind


def recording_of(
    settings: Settings, secret: Secret, telemetry: Telemetry, parts: AsyncExitStack
) -> Recording | None:
    """Begins once policies are in force; closed with `parts`."""
    if settings.record is None:
        return None
    recording = Recording(
        settings.record,
        store=kind(settings.store),
        clock=wall_clock_us,
        pseudonym=secret.pseudonym,
        bodies=settings.record_prompts,
        size_bytes=settings.record_size_bytes,
        compress=settings.record_gzip,
        on_written=telemetry.metrics.lines_recorded,
        on_lost=telemetry.metrics.lines_lost,
    )
    parts.callback(recording.close)
    return recording


def keeping_bodies(recording: Recording | None) -> Callable[[str, bytes], None]:
    return _keep_nothing if recording is None else recording.keep_body


def _keep_nothing(exchange: str, body: bytes) -> None:
    del exchange, body


def hearing_of_faults(telemetry: Telemetry, recording: Recording | None) -> Callable[[str], None]:
    """Of the store's, by their kinds."""
    if recording is None:
        return telemetry.metrics.store_failed

    def failed(fault: str) -> None:
        telemetry.metrics.store_failed(fault)
        recording.store_failed(fault)

    return failed

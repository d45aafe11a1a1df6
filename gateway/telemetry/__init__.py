"""What operators see of each exchange: spans, metrics, a decision log, the recent decisions."""

from gateway.telemetry.record import ExchangeTrace, Telemetry

__all__ = ["ExchangeTrace", "Telemetry"]

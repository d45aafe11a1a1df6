"""Who hears of each exchange: telemetry, and whoever else wants to."""

import logging
from collections.abc import Callable, Sequence

from gateway.decision.finished import Finished
from gateway.facts.dialects.port import Headers
from gateway.proxy.fault import described
from gateway.telemetry import ExchangeTrace, Telemetry

_log = logging.getLogger(__name__)

Listener = Callable[[Finished], None]


class Told:
    """Telemetry, and whoever else wants to hear of each exchange (the demo, later recorders)."""

    def __init__(self, telemetry: Telemetry, listeners: Sequence[Listener]) -> None:
        self._telemetry = telemetry
        self._listeners = listeners
        self.begin: Callable[[Headers, int], ExchangeTrace] = telemetry.begin
        self.settlement_failed = telemetry.settlement_failed

    def finish(self, trace: ExchangeTrace, finished: Finished) -> None:
        """One listener that fails keeps nobody else from hearing."""
        self._telemetry.finish(trace, finished)
        for listener in self._listeners:
            try:
                listener(finished)
            except Exception as error:  # noqa: BLE001  # whatever it is, the exchange is over
                _log.error("%s: a listener failed: %s", finished.request_id, described(error))

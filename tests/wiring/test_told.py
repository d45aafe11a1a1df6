import logging

import pytest

from gateway.decision.finished import Finished
from gateway.telemetry import Telemetry
from gateway.wiring.told import Told
from tests.telemetry import exchanges


def test_a_listener_that_fails_keeps_nobody_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Finished] = []

    def broken(_: Finished) -> None:
        raise KeyError("sk-a-key")

    telemetry = Telemetry()
    told = Told(telemetry, [broken, heard.append])
    finished = exchanges.answered()
    with caplog.at_level(logging.ERROR):
        told.finish(told.begin([], exchanges.BEGAN_US), finished)
    assert heard == [finished]
    assert telemetry.metrics.totals().allowed == 1
    (message,) = caplog.messages
    assert finished.request_id in message
    assert "KeyError at test_told.py:" in message
    assert "sk-a-key" not in message

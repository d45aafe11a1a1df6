import json
import logging

import pytest

from gateway.facts.exchange import Ask
from gateway.telemetry.decision_log import LOGGER, DecisionLog, line
from gateway.telemetry.summary import summarise
from tests.telemetry import exchanges


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger=LOGGER)
    return caplog


def test_a_refusal_is_one_line_of_json(log: pytest.LogCaptureFixture) -> None:
    DecisionLog().write(summarise(exchanges.refused()))
    (message,) = log.messages
    assert json.loads(message) == {
        "request_id": "req_1",
        "at_us": exchanges.BEGAN_US + 1_000,
        "account": "acct_1",
        "route": "chat",
        "model": "small",
        "decision": "throttle",
        "policy": "requests-per-minute",
        "reason": "quota_exceeded",
        "why": "The why of requests-per-minute.",
        "refusal": "rate",
        "status": 429,
        "ending": "refused",
        "duration_ms": 1.0,
        "policies": exchanges.DIGEST,
        "store": "ok",
        "rules": [
            {
                "policy": "requests-per-minute",
                "decision": "throttle",
                "reason": "quota_exceeded",
                "why": "The why of requests-per-minute.",
                "mode": "enforce",
                "unit": "requests",
                "limit": 60,
                "asked": 1,
                "remaining": 0,
                "retry_after_us": 7_000_000,
            }
        ],
    }


def test_what_was_never_judged_is_logged_too(log: pytest.LogCaptureFixture) -> None:
    DecisionLog().write(summarise(exchanges.rejected(route=None, path="")))
    told = json.loads(log.messages[0])
    assert (told["decision"], told["refusal"], told["route"]) == (
        "unjudged",
        "no_credential",
        "other",
    )
    assert "rules" not in told


def test_what_was_allowed_is_logged_only_by_setting(log: pytest.LogCaptureFixture) -> None:
    DecisionLog().write(summarise(exchanges.answered()))
    assert log.messages == []
    DecisionLog(allowed_too=True).write(summarise(exchanges.answered()))
    assert json.loads(log.messages[0])["settled_tokens"] == 46


def test_a_rule_without_a_charge_has_no_amounts() -> None:
    (rule,) = json.loads(line(summarise(exchanges.without_store())))["rules"]
    assert rule["policy"] == "store"
    assert "limit" not in rule


def test_no_value_can_break_out_of_its_line(log: pytest.LogCaptureFixture) -> None:
    ask = Ask(model='x\n{"decision":"allow"}\u2028')
    DecisionLog().write(summarise(exchanges.refused(ask=ask)))
    assert "\n" not in log.messages[0]
    assert json.loads(log.messages[0])["decision"] == "throttle"

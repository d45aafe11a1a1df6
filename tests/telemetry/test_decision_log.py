import json
import logging
from dataclasses import replace

import pytest

from gateway.behaviour.score import Evidence
from gateway.behaviour.standing import Standing
from gateway.decision.finished import Ending
from gateway.decision.plan import Overridden
from gateway.facts.exchange import Ask
from gateway.policy.behaviour import Rung
from gateway.policy.quota import SECOND_US
from gateway.telemetry.decision_log import (
    FAULTS_PER_S,
    LINES_PER_S,
    LOGGER,
    DecisionLog,
    line,
)
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


def test_a_model_api_that_fails_is_told_with_its_cause_and_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = "No connection to 127.0.0.1:9: Connection refused."
    failed = exchanges.answered(ending=Ending.UPSTREAM_FAILED, upstream_fault=fault)
    DecisionLog().write(summarise(failed))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == f"req_1: {fault}"


def test_a_model_api_that_fails_all_the_time_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = DecisionLog()
    failed = exchanges.answered(ending=Ending.UPSTREAM_FAILED, upstream_fault="It closed.")
    for _ in range(FAULTS_PER_S + 7):
        log.write(summarise(failed))
    assert len(caplog.messages) == FAULTS_PER_S
    later = exchanges.answered(
        ending=Ending.UPSTREAM_FAILED,
        upstream_fault="It closed.",
        ended_at_us=failed.ended_at_us + SECOND_US,
    )
    log.write(summarise(later))
    told, last = caplog.messages[FAULTS_PER_S:]
    assert told.startswith("7 ")
    assert last == "req_1: It closed."


def test_a_flood_of_refusals_does_not_fill_the_log(log: pytest.LogCaptureFixture) -> None:
    to, refused = DecisionLog(), exchanges.refused()
    for _ in range(LINES_PER_S + 30):
        to.write(summarise(refused))
    assert len(log.messages) == LINES_PER_S
    to.write(summarise(replace(refused, ended_at_us=refused.ended_at_us + SECOND_US)))
    told, last = log.messages[LINES_PER_S:]
    assert told.startswith("30 ")
    assert json.loads(last)["decision"] == "throttle"


def test_who_wants_every_exchange_gets_every_line(log: pytest.LogCaptureFixture) -> None:
    to = DecisionLog(allowed_too=True)
    for _ in range(LINES_PER_S + 30):
        to.write(summarise(exchanges.refused()))
    assert len(log.messages) == LINES_PER_S + 30


def test_a_line_tells_what_was_overridden_by_what() -> None:
    decision = replace(exchanges.allowing(), overridden=(Overridden("everybody", "batch"),))
    told = json.loads(line(summarise(exchanges.answered(decision))))
    assert told["overridden"] == {"everybody": "batch"}
    assert "overridden" not in json.loads(line(summarise(exchanges.answered())))


def held() -> Standing:
    evidence = Evidence("shared-frame", "why", 45, 0, 0, group=0xABC)
    return Standing(Rung.THROTTLE, Rung.DEGRADE, 45.04, evidence=(evidence,), fleets=(0xABC,))


def test_a_line_tells_what_behaviour_policies_held_against_it() -> None:
    decision = replace(exchanges.allowing(), standing=held())
    told = json.loads(line(summarise(exchanges.answered(decision))))
    assert told["behaviour"] == {
        "response": "throttle",
        "shadow": "degrade",
        "score": 45.0,
        "rules": ["shared-frame"],
    }
    assert "behaviour" not in json.loads(line(summarise(exchanges.answered())))

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.behaviour.standing import Standing
from gateway.policy.behaviour import Rung
from gateway.replay.judged import Judged
from tests.benchmarks.detection.verdicts import RUNGS, Verdict, of_judged, of_line


def judged(*, allowed: bool, response: Rung = Rung.NONE, held_by_fleet: bool = False) -> Any:
    standing = Standing(response=response)
    decision = SimpleNamespace(standing=standing, held_by_fleet=held_by_fleet)
    return SimpleNamespace(decision=decision, allowed=allowed)


@pytest.mark.parametrize(
    ("rung", "allowed", "detected", "contained", "leaked"),
    [
        ("none", True, False, False, True),
        ("none", False, False, False, False),
        ("tag", True, False, False, True),
        ("throttle", True, True, False, True),
        ("throttle", False, True, True, False),
        ("degrade", True, True, True, False),
        ("block", False, True, True, False),
    ],
)
def test_the_words_of_the_protocol(
    rung: str, allowed: bool, detected: bool, contained: bool, leaked: bool
) -> None:
    verdict = Verdict(RUNGS.index(rung), allowed)
    assert (verdict.detected, verdict.contained, verdict.leaked) == (detected, contained, leaked)


def test_a_quota_without_a_rung_detects_nothing() -> None:
    assert of_judged(judged(allowed=False)) == Verdict(0, allowed=False)


def test_what_no_policy_saw_has_no_rung() -> None:
    assert of_judged(cast("Judged", SimpleNamespace(decision=None, allowed=False))).rung == 0


def test_what_a_fleets_budget_refuses_is_contained() -> None:
    assert of_judged(judged(allowed=False, held_by_fleet=True)).contained


def test_the_response_in_force_is_the_rung() -> None:
    assert of_judged(judged(allowed=True, response=Rung.DEGRADE)).rung == RUNGS.index("degrade")


def test_a_line_of_decisions_reads_the_same() -> None:
    line = {"decision": "refuse", "response": "throttle", "score": 42.0}
    assert of_line(line) == Verdict(RUNGS.index("throttle"), allowed=False)

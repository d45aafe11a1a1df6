"""The page about the default behaviours speaks of those that are shipped, of all of them."""

import re
from pathlib import Path

from gateway.policy.behaviour import Rung
from gateway.policy.parse import load
from gateway.policy_directory import read_texts

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "gateway/docs/fleets.md").read_text("utf-8")
BEHAVIOURS = load(read_texts(ROOT / "policies")).behaviours


def test_every_default_behaviour_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `([a-z-]+)`", PAGE, re.MULTILINE))
    pools = {rule.id for rule in BEHAVIOURS.rules if rule.id.endswith("-one-pool")}
    pools -= {"one-instrument-one-pool"}
    assert "one-network-one-pool" in pools
    shipped = {rule.id for rule in BEHAVIOURS.rules} - pools | {"one-network-one-pool"}
    assert explained == shipped


def test_what_the_page_promises_of_the_ladder_is_written_there() -> None:
    assert BEHAVIOURS.score.shared_evidence_cap is Rung.THROTTLE
    assert BEHAVIOURS.score.independent_for_block == 2
    assert BEHAVIOURS.score.half_life_us == 36 * 3_600_000_000
    assert BEHAVIOURS.guardrails.blocked_share == 0.005
    (throttle,) = [step for step in BEHAVIOURS.ladder if step.do is Rung.THROTTLE]
    assert throttle.fleet is not None
    assert (throttle.fleet.amount, throttle.fleet.window_us) == (50, 86_400_000_000)


def test_no_shipped_rule_alone_reaches_further_than_throttling() -> None:
    degrade = next(step.at for step in BEHAVIOURS.ladder if step.do is Rung.DEGRADE)
    assert all(rule.points < degrade for rule in BEHAVIOURS.rules)

"""What an operator wrote is what is watched, in microseconds and points."""

import pytest

from gateway.policy.behaviour import (
    DAY_US,
    HOUR_US,
    Behaviour,
    Behaviours,
    Exemption,
    Function,
    Measure,
    Members,
    Over,
    Response,
    Rung,
    Score,
    WindowUnit,
)
from gateway.policy.parse import load
from gateway.policy.quota import Limit, Mode, Unit, WindowKind

TEXT = """\
lists: {fishing: {phrases: [rod]}}
behaviours:
  - id: shared-frame
    why: Because.
    group: [frame, sdk]
    among: request.turns == 1
    measure:
      accounts: distinct(account.id) over 48h
      young: "share_of_accounts( account.age_days < 7 ) over 7d"
      odd: zscore(young) over 48h
      cost: mean(usage.cost) over 200 requests
      age: age_hours()
    when: accounts >= 25 && young >= 0.7 && odd > 2 && cost > 1 && age > 2
    points: 45
    applies: history.fresh
    mode: shadow
  - id: pool
    why: Because.
    group: payment
    measure: {alike: exchangeability(prompt.sketch) over 7d, n: count() over 10 requests}
    when: alike > 0.5 && n > 0
    points: 50
    members: alike
  - id: fishing
    measure: {n: 'share(prompt.matches("fishing")) over 64 requests'}
    when: n > 0.5
    points: -20
responses:
  - {at: 15, do: observe}
  - {at: 25, do: tag, header: X-Abuse-Tier, mode: shadow}
  - {at: 40, do: throttle, scale: 0.25, fleet: 5 requests/hour}
  - {at: 55, do: degrade, max_tokens: 1k, n: 1, strip: [logprobs, reasoning]}
  - {at: 70, do: challenge, url: "https://example.com/verify"}
  - {at: 85, do: block, for: 24h, then: [7d, 30d]}
score: {half_life: 2d, clamp: [-50, 90], shared_evidence_cap: tag, independent_for_block: 3,
  hysteresis: 5}
exemptions: [{account: acct_1, until: "2027-03-01", owner: sre, why: "A contract."}]
guardrails: {blocked_accounts: 0.5% per day}
"""


def behaviours() -> Behaviours:
    return load({"a.yaml": TEXT}).behaviours


def test_a_rule_is_compiled() -> None:
    first, second, third = behaviours().rules
    over_48h = Over(WindowUnit.TIME, 2 * DAY_US)
    over_7d = Over(WindowUnit.TIME, 7 * DAY_US)
    young = "account.age_days < 7"
    assert first == Behaviour(
        id="shared-frame",
        why="Because.",
        group=("prompt.frame", "client.sdk"),
        measures=(
            Measure("accounts", Function.DISTINCT, over_48h, "account.id"),
            Measure("young", Function.SHARE_OF_ACCOUNTS, over_7d, young),
            Measure("odd", Function.ZSCORE, over_48h, young),
            Measure(
                "cost",
                Function.MEAN,
                Over(WindowUnit.REQUESTS, 200),
                "usage.cost",
                after_answer=True,
            ),
            Measure("age", Function.AGE_HOURS, over_7d),
        ),
        when="accounts >= 25 && young >= 0.7 && odd > 2 && cost > 1 && age > 2",
        points=45,
        among="request.turns == 1",
        applies="history.fresh",
        mode=Mode.SHADOW,
        where="a.yaml:3",
    )
    assert second.members is Members.ALIKE
    assert second.measures[0].expression == "prompt.sketch"
    assert second.measures[1].over == Over(WindowUnit.REQUESTS, 10)
    assert third.group == ("account.id",)
    assert (third.points, third.mode, third.why) == (-20, Mode.ENFORCE, "")
    assert first.shared
    assert not third.shared


def test_a_ladder_is_compiled() -> None:
    budget = Limit("fleet", Unit.REQUESTS, WindowKind.SLIDING, 5, window_us=HOUR_US, burst=5)
    assert behaviours().ladder == (
        Response(15, Rung.OBSERVE),
        Response(25, Rung.TAG, Mode.SHADOW, header="x-abuse-tier"),
        Response(40, Rung.THROTTLE, scale=0.25, fleet=budget),
        Response(55, Rung.DEGRADE, max_tokens=1_000, choices=1, strip=("logprobs", "reasoning")),
        Response(70, Rung.CHALLENGE, url="https://example.com/verify"),
        Response(85, Rung.BLOCK, block_us=(DAY_US, 7 * DAY_US, 30 * DAY_US)),
    )


def test_the_rest_is_compiled() -> None:
    found = behaviours()
    assert found.score == Score(2 * DAY_US, -50, 90, Rung.TAG, 3, 5)
    until_us = 1_803_859_200_000_000
    assert found.exemptions == (Exemption("account.id", "acct_1", until_us, "sre", "A contract."),)
    assert found.guardrails.blocked_share == 0.005
    assert found.lists["fishing"].phrases == ("rod",)


def test_what_is_not_written_has_its_default() -> None:
    text = TEXT.partition("score:")[0]
    assert load({"a.yaml": text}).behaviours.score == Score()


def test_a_mode_of_the_file_is_that_of_all_that_name_none() -> None:
    found = load({"a.yaml": "mode: shadow\n" + TEXT}).behaviours
    assert {rule.mode for rule in found.rules} == {Mode.SHADOW}
    assert {step.mode for step in found.ladder} == {Mode.SHADOW}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("young >= 0.7", "young >= 0.8", True),
        ("points: 45", "points: 40", True),
        ("over 7d", "over 6d", False),
        ("age_days < 7", "age_days < 8", False),
    ],
)
def test_a_changed_threshold_keeps_the_state(before: str, after: str, same: bool) -> None:
    changed = load({"a.yaml": TEXT.replace(before, after)}).behaviours
    signatures = [[one.signature for one in rule.measures] for rule in behaviours().rules]
    found = [[one.signature for one in rule.measures] for rule in changed.rules]
    assert (found == signatures) is same


def test_a_moment_may_have_a_time_and_a_zone() -> None:
    text = TEXT.replace('"2027-03-01"', '"2027-03-01T02:00:00+02:00"')
    (exemption,) = load({"a.yaml": text}).behaviours.exemptions
    assert exemption.until_us == 1_803_859_200_000_000

"""The policies that we ship do what their comments say."""

from dataclasses import replace
from pathlib import Path

from gateway.decision.plan import Plan, plan
from gateway.facts.principal import Account, Principal
from gateway.policy.parse import inspect
from gateway.policy.quota import Mode
from gateway.policy_directory import read_texts
from tests.parts.values import ESTIMATE, facts

DIRECTORY = Path(__file__).parents[2] / "policies"
INSPECTION = inspect(read_texts(DIRECTORY))
DAY_US = 86_400_000_000


def planned(account: Account, model: str = "standard-1", at_us: int = 100 * DAY_US) -> Plan:
    assert INSPECTION.policies is not None
    asked = facts(model=model)
    ask = replace(asked.ask, session="night-run")
    of = replace(asked, ask=ask, principal=Principal(account), at_us=at_us)
    return plan(INSPECTION.policies, of, ESTIMATE)


def amounts(made: Plan, quota_id: str) -> list[int]:
    return [c.limit.amount for c in made.charges if c.limit.quota_id == quota_id]


OLD = Account("a", plan="free", created_at_s=0)


def test_they_have_neither_problems_nor_warnings() -> None:
    assert INSPECTION.problems == INSPECTION.warnings == ()


def test_a_plan_has_its_own_allowance_and_an_unknown_plan_the_default() -> None:
    plans = [("free", 60), ("pro", 600), ("enterprise", 6_000), ("other", 600), (None, 600)]
    for name, requests in plans:
        made = planned(replace(OLD, plan=name))
        assert amounts(made, "requests-per-minute") == [requests]


def test_only_plans_and_what_is_in_flight_are_enforced_until_an_operator_says_so() -> None:
    made = planned(Account("a", attributes={"payment": "p", "network": "n"}), "frontier-1")
    enforced = {c.limit.quota_id for c in made.charges if not c.shadow}
    assert enforced == {"requests-per-minute", "tokens", "in-flight", "frontier-output"}
    assert INSPECTION.policies is not None
    shadows = {q.id for q in INSPECTION.policies.quotas if q.mode is Mode.SHADOW}
    assert {c.limit.quota_id for c in made.charges if c.shadow} == shadows


def test_an_account_of_unknown_age_counts_as_young() -> None:
    assert amounts(planned(replace(OLD, created_at_s=None)), "young-account")
    assert not amounts(planned(OLD), "young-account")


def test_accounts_of_one_instrument_share_its_budget() -> None:
    partitions = set()
    for name in ("a", "b"):
        made = planned(Account(name, attributes={"payment": "pm_1"}))
        partitions |= {
            c.partition for c in made.charges if c.limit.quota_id == "one-instrument-many-accounts"
        }
    assert len(partitions) == 1


def test_a_model_without_an_example_price_is_not_free() -> None:
    dear = {c.limit.quota_id: c.amount for c in planned(OLD, "unheard-of").charges}
    known = {c.limit.quota_id: c.amount for c in planned(OLD, "standard-1").charges}
    assert dear["spend-per-day"] > known["spend-per-day"] > 0

"""What is charged, to whom, and how much, before anything is known of the answer."""

import pytest

from gateway.decision.plan import Estimate, Partition, plan
from gateway.policy.quota import Missing, Mode, Unit, WindowKind
from tests.parts.values import ESTIMATE, facts, limit, policies, quota


@pytest.mark.parametrize(
    ("unit", "amount"),
    [
        (Unit.REQUESTS, 1),
        (Unit.CONCURRENT, 1),
        (Unit.INPUT_TOKENS, 10),
        (Unit.OUTPUT_TOKENS, 100),
        (Unit.TOKENS, 110),
    ],
)
def test_each_unit_reserves_its_own_amount(unit: Unit, amount: int) -> None:
    planned = plan(policies(quota(limit(1000, unit))), facts(), ESTIMATE)
    assert [charge.amount for charge in planned.charges] == [amount]


def test_a_charge_of_nothing_is_not_planned() -> None:
    nothing = Estimate(0, 0, declared=True)
    planned = plan(
        policies(quota(limit(5, quota_id="r")), quota(limit(9, Unit.TOKENS, quota_id="t"))),
        facts(),
        nothing,
    )
    assert [charge.limit.quota_id for charge in planned.charges] == ["r"]


def test_a_learned_ceiling_never_makes_a_small_limit_unusable() -> None:
    learned = Estimate(input_tokens=10, output_tokens=4096, declared=False)
    rules = policies(
        quota(limit(100, Unit.TOKENS, quota_id="both")),
        quota(limit(50, Unit.OUTPUT_TOKENS, quota_id="out")),
        quota(
            limit(900, Unit.TOKENS, quota_id="bucket", kind=WindowKind.BUCKET, burst=40),
        ),
    )
    planned = plan(rules, facts(), learned)
    assert [charge.amount for charge in planned.charges] == [100, 50, 40]


def test_a_learned_ceiling_is_never_cut_below_the_input() -> None:
    learned = Estimate(input_tokens=500, output_tokens=4096, declared=False)
    planned = plan(policies(quota(limit(100, Unit.TOKENS))), facts(), learned)
    assert planned.charges[0].amount == 500


def test_a_declared_ceiling_is_reserved_in_full_whatever_the_limit() -> None:
    declared = Estimate(input_tokens=10, output_tokens=4096, declared=True)
    planned = plan(policies(quota(limit(100, Unit.TOKENS))), facts(), declared)
    assert planned.charges[0].amount == 4106


def test_partitions_name_every_fact_and_value() -> None:
    rules = policies(quota(limit(5), per=("account.organization", "request.model")))
    planned = plan(rules, facts(organization="lab", model="small"), ESTIMATE)
    assert planned.charges[0].partition == Partition(
        (("account.organization", "lab"), ("request.model", "small"))
    )


def test_a_missing_partition_falls_back_to_the_account() -> None:
    rules = policies(quota(limit(5), per=("account.organization", "account.id")))
    planned = plan(rules, facts("acct_7"), ESTIMATE)
    assert planned.charges[0].partition == Partition((("account.id", "acct_7"),))


def test_a_missing_partition_can_skip_the_quota() -> None:
    rules = policies(quota(limit(5), per=("account.organization",), missing=Missing.SKIP))
    assert plan(rules, facts(), ESTIMATE).charges == ()


def test_a_missing_partition_can_refuse_the_request() -> None:
    rule = quota(limit(5), per=("account.organization",), missing=Missing.REFUSE)
    planned = plan(policies(rule), facts(), ESTIMATE)
    assert planned.refused_by is rule
    assert planned.charges == ()


def test_shadow_quotas_are_marked_on_their_charges() -> None:
    rules = policies(quota(limit(5), mode=Mode.SHADOW))
    assert plan(rules, facts(), ESTIMATE).charges[0].shadow


def test_the_digest_of_the_policies_stays_with_the_plan() -> None:
    assert plan(policies(), facts(), ESTIMATE).digest == "0123456789ab"

"""What is charged, to whom, and how much, before anything is known of the answer."""

from dataclasses import replace

import pytest

from gateway.decision.plan import NO_GAPS, Estimate, Gaps, Lack, Partition, plan
from gateway.facts.principal import Account, Principal
from gateway.policy.predicate import condition
from gateway.policy.prices import Prices
from gateway.policy.quota import (
    Limit,
    Missing,
    Mode,
    Policies,
    Quota,
    Unit,
    Unpriced,
    WindowKind,
)
from gateway.policy.weights import Weights
from tests.parts.values import ESTIMATE, facts, limit, policies, quota


@pytest.mark.parametrize(
    ("unit", "amount"),
    [
        (Unit.REQUESTS, 1),
        (Unit.CONCURRENT, 1),
        (Unit.INPUT_TOKENS, 10),
        (Unit.OUTPUT_TOKENS, 100),
        (Unit.TOKENS, 110),
        (Unit.REASONING_TOKENS, 100),
        (Unit.CACHED_TOKENS, 10),
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
    assert [charge.amount for charge in planned.charges] == [25, 12, 10]


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


def test_a_shadow_quota_refuses_nothing_that_it_lacks() -> None:
    rule = quota(limit(5), per=("account.organization",), missing=Missing.REFUSE, mode=Mode.SHADOW)
    other = quota(limit(5, quota_id="other"))
    planned = plan(policies(rule, other), facts(), ESTIMATE)
    assert planned.refused_by is None
    assert planned.would_refuse == (rule,)
    assert [charge.limit.quota_id for charge in planned.charges] == ["other"]


def test_a_quota_applies_only_where_its_condition_holds() -> None:
    rules = policies(
        quota(limit(5, quota_id="always")),
        quota(limit(5, quota_id="large"), when=condition('request.model == "large"')),
        quota(limit(5, quota_id="small"), when=condition('request.model == "small"')),
    )
    planned = plan(rules, facts(model="small"), ESTIMATE)
    assert [charge.limit.quota_id for charge in planned.charges] == ["always", "small"]


def test_a_condition_that_fails_applies() -> None:
    rules = policies(quota(limit(5), when=condition('account.attributes["x"] == "y"')))
    planned = plan(rules, facts(), ESTIMATE)
    assert len(planned.charges) == 1
    assert planned.gaps == Gaps(conditions=("quota",))


def test_a_plan_without_gaps_says_so_without_cost() -> None:
    assert plan(policies(quota(limit(5))), facts(), ESTIMATE).gaps is NO_GAPS


@pytest.mark.parametrize("missing", Missing)
def test_what_cannot_be_counted_by_all_facts_is_told_once(missing: Missing) -> None:
    rule = quota(limit(5), per=("account.organization", "account.payment"), missing=missing)
    assert plan(policies(rule), facts(), ESTIMATE).gaps == Gaps(partitions=("quota",))


def test_each_plan_is_charged_against_its_own_limit() -> None:
    rule = quota(limit(5), by_plan={"pro": (limit(50),)})
    of_pro = replace(facts(), principal=Principal(Account("a", plan="pro")))
    assert plan(policies(rule), of_pro, ESTIMATE).charges[0].limit.amount == 50
    assert plan(policies(rule), facts(), ESTIMATE).charges[0].limit.amount == 5


WEIGHTS = Weights(1_000_000, 100_000, 1_250_000, 4_000_000, 5_000_000)


def weighted(amount: int) -> Limit:
    return replace(limit(amount, Unit.TOKENS), weights=WEIGHTS)


def test_weighted_tokens_are_reserved_as_if_each_were_of_the_dearest_kind() -> None:
    planned = plan(policies(quota(weighted(1000))), facts(), ESTIMATE)
    assert planned.charges[0].amount == 13 + 500  # 10 * 1.25 and 100 * 5


def test_what_nobody_declared_is_cut_to_a_part_of_the_limit() -> None:
    learned = replace(ESTIMATE, declared=False)
    assert plan(policies(quota(weighted(100))), facts(), learned).charges[0].amount == 25
    assert plan(policies(quota(weighted(512))), facts(), ESTIMATE).charges[0].amount == 512
    assert plan(policies(quota(weighted(100))), facts(), ESTIMATE).charges[0].amount == 510
    cached = quota(limit(7, Unit.CACHED_TOKENS))
    assert plan(policies(cached), facts(), ESTIMATE).charges[0].amount == 7


PRICE = Weights(3_000_000, 300_000, 3_000_000, 15_000_000, 15_000_000)
DEAR = Weights(5_000_000, 9_000_000, 1, 1, 60_000_000)


def spending(unpriced: Unpriced = Unpriced.DEAREST, mode: Mode = Mode.ENFORCE) -> Policies:
    rule = quota(limit(40_000_000, Unit.MICRO_USD), unpriced=unpriced, mode=mode)
    return Policies((rule,), prices=Prices({"sm*": PRICE, "dear": DEAR}))


def test_money_is_reserved_at_the_models_price() -> None:
    (charge,) = plan(spending(), facts(model="small"), ESTIMATE).charges
    assert charge.amount == 10 * 3 + 100 * 15
    assert charge.price is charge.of_tokens is PRICE


def test_a_model_without_a_price_costs_the_dearest_of_each_kind() -> None:
    (charge,) = plan(spending(), facts(model="unknown"), ESTIMATE).charges
    assert charge.amount == 10 * 9 + 100 * 60


def test_a_model_without_a_price_can_be_refused() -> None:
    planned = plan(spending(Unpriced.REFUSE), facts(model="unknown"), ESTIMATE)
    assert planned.refused_by is not None
    assert planned.lack is Lack.PRICE
    assert planned.charges == ()


def test_what_uses_no_tokens_needs_no_price() -> None:
    nothing = Estimate(0, 0, declared=True)
    planned = plan(spending(Unpriced.REFUSE), facts(model=None), nothing)
    assert planned.refused_by is None
    assert planned.charges == ()


def test_a_model_without_a_price_can_be_free() -> None:
    assert plan(spending(Unpriced.FREE), facts(model="unknown"), ESTIMATE).charges == ()


def test_a_shadow_quota_would_have_refused_what_has_no_price() -> None:
    rules = spending(Unpriced.REFUSE, Mode.SHADOW)
    planned = plan(rules, facts(model="unknown"), ESTIMATE)
    assert planned.refused_by is None
    assert planned.would_refuse == rules.quotas


def test_shadow_quotas_are_marked_on_their_charges() -> None:
    rules = policies(quota(limit(5), mode=Mode.SHADOW))
    assert plan(rules, facts(), ESTIMATE).charges[0].shadow


def test_the_digest_of_the_policies_stays_with_the_plan() -> None:
    assert plan(policies(), facts(), ESTIMATE).digest == "0123456789ab"


def applying(*quotas: Quota, **asked: object) -> tuple[list[str], list[tuple[str, str]]]:
    """Which are charged, and which are overridden by which."""
    planned = plan(policies(*quotas), facts(**asked), ESTIMATE)  # type: ignore[arg-type]
    overridden = [(one.policy_id, one.by) for one in planned.overridden]
    return [charge.limit.quota_id for charge in planned.charges], overridden


def named(quota_id: str, unit: Unit = Unit.REQUESTS, **keys: object) -> Quota:
    return quota(limit(1_000, unit, quota_id=quota_id), **keys)  # type: ignore[arg-type]


LARGE = condition('request.model == "large"')


def test_what_is_overridden_does_not_apply_where_the_other_does() -> None:
    quotas = (named("everybody"), named("large", when=LARGE, overrides=("everybody",)))
    assert applying(*quotas, model="large") == (["large"], [("everybody", "large")])
    assert applying(*quotas, model="small") == (["everybody"], [])


def test_the_order_in_which_they_are_written_is_nothing() -> None:
    quotas = (named("c"), named("a", overrides=("b",)), named("b", overrides=("c",)), named("d"))
    for written in (quotas, quotas[::-1]):
        charged, overridden = applying(*written)
        assert charged == [q.id for q in written if q.id != "b"]
        assert overridden == [("b", "a")]


def test_an_overridden_quota_overrides_nothing() -> None:
    chain = [named(f"q{n}", overrides=(f"q{n + 1}",)) for n in range(4)]
    charged, overridden = applying(*chain, named("q4"))
    assert charged == ["q0", "q2", "q4"]
    assert overridden == [("q1", "q0"), ("q3", "q2")]


def test_who_cannot_be_counted_overrides_nothing() -> None:
    lab = named(
        "lab", per=("account.organization",), missing=Missing.SKIP, overrides=("everybody",)
    )
    assert applying(named("everybody"), lab)[0] == ["everybody"]
    assert applying(named("everybody"), lab, organization="lab")[0] == ["lab"]


def test_who_has_nothing_to_count_overrides_nothing() -> None:
    tokens = named("tokens", Unit.TOKENS, overrides=("everybody",))
    rules = policies(named("everybody"), tokens)
    nothing = plan(rules, facts(), Estimate(0, 0, declared=True))
    assert [charge.limit.quota_id for charge in nothing.charges] == ["everybody"]
    assert applying(*rules.quotas)[0] == ["tokens"]


def test_a_condition_that_fails_lets_its_quota_apply_and_override_nothing() -> None:
    breaks = condition('account.attributes["x"] == "y"')
    quotas = (named("everybody"), named("exception", when=breaks, overrides=("everybody",)))
    assert applying(*quotas) == (["everybody", "exception"], [])


def test_an_overridden_quota_refuses_nothing_that_it_lacks() -> None:
    strict = named("strict", per=("account.organization",), missing=Missing.REFUSE)
    planned = plan(policies(strict, named("a", overrides=("strict",))), facts(), ESTIMATE)
    assert planned.refused_by is None
    assert [charge.limit.quota_id for charge in planned.charges] == ["a"]


def test_what_an_overriding_quota_lacks_refuses_all_the_same_and_is_told_once() -> None:
    strict = named(
        "strict", per=("account.organization",), missing=Missing.REFUSE, overrides=("a",)
    )
    planned = plan(policies(named("a"), strict), facts(), ESTIMATE)
    assert planned.refused_by is strict
    assert planned.gaps == Gaps(partitions=("strict",))


def test_a_shadow_relieves_nobody_from_what_enforces() -> None:
    shadow = named("shadow", mode=Mode.SHADOW, overrides=("everybody", "trial"))
    trial = named("trial", mode=Mode.SHADOW)
    charged, overridden = applying(named("everybody"), trial, shadow)
    assert charged == ["everybody", "shadow"]
    assert overridden == [("trial", "shadow")]


def test_what_enforces_overrides_shadows_too() -> None:
    trial = named("trial", mode=Mode.SHADOW)
    assert applying(trial, named("a", overrides=("trial",)))[0] == ["a"]


def test_nothing_overrides_what_is_always() -> None:
    quotas = (named("everybody", always=True), named("a", overrides=("everybody",)))
    assert applying(*quotas)[0] == ["everybody", "a"]


def test_policies_without_overrides_are_asked_for_none() -> None:
    assert policies(named("a"), named("b")).overriding == ()

"""Readings become a decision: which limit binds, what the caller is told, what the trace says."""

from dataclasses import replace

import pytest

from gateway.decision.judge import judge, store_unavailable
from gateway.decision.outcome import Decision, Verdict
from gateway.decision.plan import Lack, Plan
from gateway.decision.port import Reading, Reserved, StoreState
from gateway.facts.refusal import RefusalKind
from gateway.policy.quota import SECOND_US, Limit, Mode, Unit, WindowKind
from tests.parts.values import ESTIMATE, MINUTE_US, charge, limit, quota

FITS = Reading(used=1, fits=True, charged=True, retry_after_us=0, full_after_us=MINUTE_US)


def refuses(after_us: int | None, used: int = 5) -> Reading:
    return Reading(
        used=used, fits=False, charged=False, retry_after_us=after_us, full_after_us=MINUTE_US
    )


def decide(*judged: tuple[Limit, Reading], shadow: bool = False, amount: int = 1) -> Decision:
    plan = Plan(
        tuple(charge(of, amount, shadow=shadow) for of, _ in judged), ESTIMATE, "0123456789ab"
    )
    admitted = shadow or all(reading.fits for _, reading in judged)
    reserved = Reserved(admitted, 0, tuple(reading for _, reading in judged))
    rules = {
        of.quota_id: quota(of, mode=Mode.SHADOW if shadow else Mode.ENFORCE) for of, _ in judged
    }
    return judge(plan, reserved, rules)


def test_what_fits_is_allowed_and_the_scarcest_limit_is_named() -> None:
    decision = decide((limit(100, quota_id="wide"), FITS), (limit(2, quota_id="narrow"), FITS))
    assert decision.verdict is Verdict.ALLOW
    assert decision.refusal is None
    assert decision.binding == 1
    assert [(q.name, q.remaining) for q in decision.quota_states] == [("wide", 99), ("narrow", 1)]


def test_the_longest_wait_binds() -> None:
    decision = decide(
        (limit(5, quota_id="short"), refuses(3 * SECOND_US)),
        (limit(5, quota_id="long"), refuses(17 * SECOND_US - 1)),
        (limit(5, quota_id="fine"), FITS),
    )
    assert decision.binding == 1
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.RATE
    assert decision.refusal.retry_after_us == 17 * SECOND_US - 1
    assert decision.refusal.message == "Limit of 5 requests a minute reached. Retry in 17 s."
    assert [r.policy_id for r in decision.reasons] == ["short", "long"]
    assert decision.reasons[1].why == "The why of long."


def test_what_can_never_fit_is_not_answered_with_a_wait() -> None:
    tokens = limit(50, Unit.TOKENS, quota_id="small", window_us=60 * MINUTE_US)
    decision = decide(
        (limit(5, quota_id="busy"), refuses(9 * SECOND_US)), (tokens, refuses(None)), amount=110
    )
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.NEVER_FITS
    assert decision.refusal.retry_after_us is None
    assert "110 tokens" in decision.refusal.message
    assert "50 tokens an hour" in decision.refusal.message


def test_a_wait_over_time_binds_before_what_is_in_flight() -> None:
    decision = decide(
        (limit(2, Unit.CONCURRENT, quota_id="slots"), refuses(None, used=2)),
        (limit(5, quota_id="rate"), refuses(9 * SECOND_US)),
    )
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.RATE


def test_too_many_in_flight_says_one_second() -> None:
    decision = decide((limit(2, Unit.CONCURRENT, quota_id="slots"), refuses(None, used=2)))
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.CONCURRENCY
    assert decision.refusal.retry_after_us == SECOND_US


def test_shadow_is_reported_and_never_refuses() -> None:
    decision = decide((limit(5, quota_id="trial"), refuses(9 * SECOND_US)), shadow=True)
    assert decision.allowed
    assert [(r.policy_id, r.code) for r in decision.reasons] == [("trial", "would_refuse")]
    assert decision.quota_states == ()
    assert decision.binding is None


def test_without_a_quota_nobody_is_asked() -> None:
    decision = judge(Plan((), ESTIMATE, "0123456789ab"), None, {})
    assert decision.allowed
    assert decision.store is StoreState.UNUSED


def test_an_unanswering_store_refuses_for_a_moment() -> None:
    decision = store_unavailable(Plan((charge(limit(5)),), ESTIMATE, "0123456789ab"))
    assert not decision.allowed
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.STORE_UNAVAILABLE
    assert decision.refusal.retry_after_us == SECOND_US


def test_a_missing_fact_names_what_is_counted_by() -> None:
    rule = quota(limit(5), per=("account.organization",))
    decision = judge(Plan((), ESTIMATE, "0123456789ab", refused_by=rule), None, {rule.id: rule})
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.MALFORMED
    assert "account.organization" in decision.refusal.message


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (limit(1, window_us=SECOND_US), "1 request a second"),
        (limit(600), "600 requests a minute"),
        (limit(1, window_us=3600 * SECOND_US), "1 request an hour"),
        (limit(2_000_000, Unit.TOKENS, window_us=86_400 * SECOND_US), "2,000,000 tokens a day"),
        (limit(9, Unit.INPUT_TOKENS, window_us=15 * MINUTE_US), "9 input tokens per 15 minutes"),
        (limit(9, window_us=90 * SECOND_US), "9 requests per 90 seconds"),
    ],
)
def test_limits_are_spoken_as_people_say_them(of: Limit, words: str) -> None:
    decision = decide((of, refuses(SECOND_US)))
    assert decision.refusal is not None
    assert words in decision.refusal.message


def test_money_is_told_in_dollars() -> None:
    spend = limit(40_000_000, Unit.MICRO_USD, window_us=86_400 * SECOND_US)
    decision = decide((spend, refuses(SECOND_US)))
    assert decision.refusal is not None
    assert "Limit of 40 USD a day reached" in decision.refusal.message
    never = decide((spend, refuses(None)), amount=61_500_000)
    assert never.refusal is not None
    assert "reserves 61.50 USD, more than the limit of 40 USD a day" in never.refusal.message
    assert decision.quota_states[0].unit == "micro_usd"


def near(used: int, *, percent: int | None = 80, shadow: bool = False) -> list[str]:
    of = limit(10)
    rule = quota(of, warn_at_percent=percent, mode=Mode.SHADOW if shadow else Mode.ENFORCE)
    plan = Plan((charge(of, shadow=shadow),), ESTIMATE, "0123456789ab")
    reserved = Reserved(admitted=True, at_us=0, readings=(replace(FITS, used=used),))
    return [reason.code for reason in judge(plan, reserved, {rule.id: rule}).reasons]


def test_from_its_share_on_a_limit_is_said_to_be_near() -> None:
    assert near(7) == []
    assert near(8) == near(10) == ["near_limit"]
    assert near(8, shadow=True) == ["near_limit"]
    assert near(10, percent=None) == []


def test_what_is_refused_is_not_also_near() -> None:
    of = limit(10)
    rule = quota(of, warn_at_percent=80)
    plan = Plan((charge(of),), ESTIMATE, "0123456789ab")
    reserved = Reserved(admitted=False, at_us=0, readings=(refuses(SECOND_US, used=10),))
    assert [r.code for r in judge(plan, reserved, {rule.id: rule}).reasons] == ["quota_exceeded"]


def test_what_another_quota_refused_is_not_near_either() -> None:
    of = limit(10)
    rule = quota(of, warn_at_percent=80)
    plan = Plan((charge(of),), ESTIMATE, "0123456789ab")
    fits = replace(FITS, used=9, charged=False)
    reserved = Reserved(admitted=False, at_us=0, readings=(fits,))
    assert judge(plan, reserved, {rule.id: rule}).reasons == ()


def test_a_model_without_a_price_is_refused_for_that() -> None:
    rule = quota(limit(5, Unit.MICRO_USD))
    plan = Plan((), ESTIMATE, "0123456789ab", refused_by=rule, lack=Lack.PRICE)
    decision = judge(plan, None, {rule.id: rule})
    assert decision.refusal is not None
    assert decision.refusal.kind is RefusalKind.MALFORMED
    assert decision.refusal.field == "model"
    assert "This model has no price, and quota quota" in decision.refusal.message
    assert [reason.code for reason in decision.reasons] == ["unpriced_model"]


def test_what_a_shadow_quota_would_refuse_for_a_lack_is_told() -> None:
    rule = quota(limit(5), mode=Mode.SHADOW)
    decision = judge(Plan((), ESTIMATE, "0123456789ab", would_refuse=(rule,)), None, {})
    assert decision.allowed
    assert [(r.policy_id, r.code) for r in decision.reasons] == [("quota", "would_refuse")]


def test_a_bucket_never_shows_more_than_its_burst() -> None:
    bucket = limit(100, kind=WindowKind.BUCKET, burst=10)
    decision = decide((bucket, FITS))
    assert decision.quota_states[0].remaining == 9


@pytest.mark.parametrize(("slots", "said"), [(1, "1 request in"), (2, "2 requests in")])
def test_a_full_limit_in_flight_is_said_in_its_number(slots: int, said: str) -> None:
    decision = decide((limit(slots, Unit.CONCURRENT, quota_id="slots"), refuses(None, used=slots)))
    assert decision.refusal is not None
    assert said in decision.refusal.message


def later(of: Limit, reading: Reading, by_us: int) -> Decision:
    plan = Plan((charge(of),), ESTIMATE, "0123456789ab")
    reserved = Reserved(reading.fits, 0, (reading,))
    return judge(plan, reserved, {of.quota_id: quota(of)}, by_us)


def test_jitter_is_added_to_all_that_the_caller_is_told_and_to_nothing_else() -> None:
    decision = later(limit(5), refuses(16 * SECOND_US + 600_000), 700_000)
    assert decision.refusal is not None
    assert decision.refusal.retry_after_us == 17 * SECOND_US + 300_000
    assert decision.refusal.message.endswith("Retry in 18 s.")
    (state,) = decision.quota_states
    assert state.retry_after_us == 17 * SECOND_US + 300_000
    assert decision.readings[0].retry_after_us == 16 * SECOND_US + 600_000


def test_jitter_parts_those_who_wait_for_a_slot_or_for_the_store() -> None:
    decision = later(limit(1, Unit.CONCURRENT), refuses(None), 700_000)
    assert decision.refusal is not None
    assert decision.refusal.retry_after_us == 1_700_000
    away = store_unavailable(Plan((), ESTIMATE, "0123456789ab"), later_us=700_000).refusal
    assert away is not None
    assert away.retry_after_us == 1_700_000
    assert away.message.endswith("Retry in 2 s.")


def test_nothing_is_added_where_nobody_waits() -> None:
    assert later(limit(5), FITS, 700_000).later_us == 0
    never = later(limit(5, Unit.TOKENS), refuses(None), 700_000)
    assert never.refusal is not None
    assert never.refusal.retry_after_us is None
    assert never.quota_states[0].retry_after_us is None

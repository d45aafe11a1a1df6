import pytest

from gateway.decision.judge import judge
from gateway.decision.outcome import Decision
from gateway.decision.plan import Plan
from gateway.decision.port import Reserved
from gateway.policy.quota import Mode, Unit
from gateway.telemetry.summary import Word, matched_policies, summarise
from tests.parts.values import charge, limit, quota
from tests.telemetry import exchanges


def test_an_allowed_exchange_is_bound_by_the_limit_with_least_left() -> None:
    summary = summarise(exchanges.answered())
    assert summary.word is Word.ALLOW
    assert summary.binding is not None
    assert summary.binding.policy_id == "tokens-per-day"
    assert summary.binding.remaining == 500
    assert (summary.reserved_tokens, summary.settled_tokens) == (110, 46)


@pytest.mark.parametrize(
    ("decision", "word", "reason"),
    [
        (exchanges.refusing(), Word.THROTTLE, "quota_exceeded"),
        (exchanges.refusing(retry_after_us=None), Word.DENY, "never_fits"),
        (
            exchanges.refusing(limit(1, Unit.CONCURRENT), retry_after_us=None),
            Word.THROTTLE,
            "quota_exceeded",
        ),
    ],
)
def test_a_refusal_says_whether_waiting_helps(decision: Decision, word: Word, reason: str) -> None:
    summary = summarise(exchanges.refused(decision))
    assert summary.word is word
    assert summary.binding is not None
    assert (summary.binding.word, summary.binding.reason) == (word, reason)
    assert summary.reserved_tokens is None


def test_a_shadow_quota_speaks_and_never_binds() -> None:
    summary = summarise(exchanges.answered(exchanges.shadowed()))
    assert summary.word is Word.ALLOW
    assert [(r.policy_id, r.word) for r in summary.rulings] == [
        ("requests-per-minute", Word.ALLOW),
        ("strict-tomorrow", Word.SHADOW_DENY),
    ]
    assert summary.rulings[1].why == "The why of strict-tomorrow."


def test_a_shadow_quota_alone_binds_nothing() -> None:
    alone = exchanges.decided(
        (
            charge(exchanges.STRICT, shadow=True),
            exchanges.reading(used=5, fits=False, charged=False, retry_after_us=1),
        ),
        admitted=True,
    )
    summary = summarise(exchanges.answered(alone))
    assert summary.binding is None
    assert [r.word for r in summary.rulings] == [Word.SHADOW_DENY]


def test_two_limits_of_one_quota_keep_their_own_reasons() -> None:
    short = limit(5, Unit.TOKENS, quota_id="both")
    long = limit(500, Unit.TOKENS, quota_id="both", window_us=3_600_000_000)
    decision = exchanges.decided(
        (
            charge(short, 110),
            exchanges.reading(used=0, fits=False, charged=False, retry_after_us=None),
        ),
        (
            charge(long, 110),
            exchanges.reading(used=499, fits=False, charged=False, retry_after_us=5),
        ),
        admitted=False,
    )
    summary = summarise(exchanges.refused(decision))
    assert [r.reason for r in summary.rulings] == ["never_fits", "quota_exceeded"]


def test_a_rule_that_warns_keeps_its_reason_from_the_one_that_would_refuse() -> None:
    charges = (
        charge(exchanges.REQUESTS),
        charge(exchanges.TOKENS, 110),
        charge(exchanges.STRICT, shadow=True),
    )
    readings = (
        exchanges.reading(used=50),
        exchanges.reading(used=1_900),
        exchanges.reading(used=5, fits=False, charged=False, retry_after_us=1),
    )
    quotas = {
        each.limit.quota_id: quota(each.limit, warn_at_percent=80)
        for each in charges
        if each.limit is not exchanges.STRICT
    } | {exchanges.STRICT.quota_id: quota(exchanges.STRICT, mode=Mode.SHADOW)}
    plan = Plan(charges, exchanges.ESTIMATE, exchanges.DIGEST)
    decision = judge(
        plan, Reserved(admitted=True, at_us=exchanges.BEGAN_US, readings=readings), quotas
    )
    summary = summarise(exchanges.answered(decision))
    assert [(r.policy_id, r.word, r.reason, r.why) for r in summary.rulings] == [
        ("tokens-per-day", Word.ALLOW, "near_limit", "The why of tokens-per-day."),
        ("requests-per-minute", Word.ALLOW, "near_limit", "The why of requests-per-minute."),
        ("strict-tomorrow", Word.SHADOW_DENY, "would_refuse", "The why of strict-tomorrow."),
    ]
    assert summary.rulings[1].remaining == 10


def test_an_unanswering_store_is_the_rule_that_bound() -> None:
    summary = summarise(exchanges.without_store())
    assert summary.word is Word.THROTTLE
    assert summary.binding is not None
    assert summary.binding.policy_id == "store"
    assert summary.finished.decision is not None
    assert matched_policies(summary.finished.decision) == ("requests-per-minute",)


def test_a_missing_fact_names_the_quota_that_wants_it() -> None:
    wants = quota(exchanges.REQUESTS, mode=Mode.ENFORCE)
    decision = judge(Plan((), exchanges.ESTIMATE, exchanges.DIGEST, refused_by=wants), None, {})
    summary = summarise(exchanges.refused(decision))
    assert summary.word is Word.DENY
    assert matched_policies(decision) == ("requests-per-minute",)
    assert summary.binding is not None
    assert summary.binding.reason == "missing_fact"


def test_a_quota_in_shadow_mode_that_lacks_a_fact_would_have_refused() -> None:
    wants = quota(exchanges.REQUESTS, mode=Mode.SHADOW)
    plan = Plan((), exchanges.ESTIMATE, exchanges.DIGEST, would_refuse=(wants,))
    summary = summarise(exchanges.answered(judge(plan, None, {})))
    assert summary.word is Word.ALLOW
    assert summary.binding is None
    assert [(r.word, r.shadow) for r in summary.rulings] == [(Word.SHADOW_DENY, True)]


def test_what_was_never_judged_is_called_so() -> None:
    summary = summarise(exchanges.rejected(route=None, path=""))
    assert summary.word is Word.UNJUDGED
    assert (summary.route, summary.status_class) == ("other", "4xx")


def test_a_client_that_left_early_has_no_status_class() -> None:
    assert summarise(exchanges.answered(status=None)).status_class == "none"


def test_an_upstream_call_without_an_end_ends_with_the_exchange() -> None:
    summary = summarise(exchanges.answered(upstream_ended_at_us=None))
    assert summary.upstream_us == 1_996_000
    assert summarise(exchanges.refused()).upstream_us == 0

from collections.abc import Mapping

import pytest

from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.exchange import Route
from gateway.policy.compile import quota
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.doubts import Idle, doubts, undercut
from gateway.policy.prices import Prices
from gateway.policy.weights import Weights

SOME_PRICES = Prices({"frontier-*": Weights(1, 1, 1, 1, 1)})
ALL_PRICES = Prices({"*": Weights(1, 1, 1, 1, 1)})


def rule(limit: object, **keys: object) -> QuotaRule:
    return QuotaRule.model_validate({"id": "a", "why": "Because.", "limit": limit, **keys})


def said(written: QuotaRule, prices: Prices = SOME_PRICES) -> list[tuple[object, str]]:
    return [(doubt.path, doubt.message) for doubt in doubts(written, prices)]


def test_a_rule_without_a_why_is_doubtful() -> None:
    ((place, message),) = said(QuotaRule.model_validate({"id": "a", "limit": "5/minute"}))
    assert place == ()
    assert 'has no "why"' in message


def test_a_bucket_that_a_slower_one_with_the_same_burst_always_undercuts_is_doubtful() -> None:
    # 200k an hour refill faster than 1M a day, from the same burst
    written = rule(["200k tokens/hour", "1M tokens/day", "3 concurrent"], window="bucket", burst=50)
    ((place, message),) = said(written)
    assert place == ("limit", 0)
    assert "never binds" in message


@pytest.mark.parametrize("per", ["end_user", "model", ["model", "plan"], ["route", "end_user"]])
def test_whoever_chooses_his_own_partition_is_held_to_nothing(per: object) -> None:
    ((place, message),) = said(rule("5/minute", per=per, missing="account"))
    assert place == ("per",)
    assert "Callers choose request." in message


@pytest.mark.parametrize(
    "per", [["account", "end_user"], ["organization", "model"], ["address", "model"], ["route"]]
)
def test_a_partition_with_somebody_in_it_is_none_of_that(per: object) -> None:
    assert said(rule("5/minute", per=per, missing="account")) == []


@pytest.mark.parametrize(
    ("per", "missing", "words"),
    [
        ("organization", None, "without account.organization is counted by its account"),
        (["account", "payment"], None, "without account.payment is counted by its account"),
        (["account", "end_user"], None, "without request.end_user is counted by its account"),
        ("organization", "skip", None),
        ("organization", "account", None),
        (["account", "model"], None, None),
        ("address", None, None),
    ],
)
def test_what_holds_for_a_missing_fact_should_be_written(
    per: object, missing: str | None, words: str | None
) -> None:
    written = rule("5/minute", per=per, **({"missing": missing} if missing else {}))
    found = said(written)
    assert [place for place, _ in found] == ([("per",)] if words else [])
    assert all(str(words) in message for _, message in found)


def test_what_a_model_without_a_price_costs_should_be_written() -> None:
    ((place, message),) = said(rule("5 USD/day"))
    assert place == ()
    assert "unpriced: dearest, refuse or free" in message
    assert said(rule("5 USD/day", unpriced="dearest")) == []
    assert said(rule("5 USD/day"), ALL_PRICES) == []
    assert said(rule("5k tokens/day")) == []


def test_a_condition_that_can_fail_is_doubtful_where_it_can() -> None:
    (found,) = doubts(rule("5/minute", when="100 / request.n > 5"), SOME_PRICES)
    assert (found.path, found.offset) == (("when",), 4)
    assert "a condition that fails holds" in found.message


def idle(*rules: Mapping[str, object]) -> list[Idle]:
    written = (QuotaRule.model_validate({"id": f"q{at}", **keys}) for at, keys in enumerate(rules))
    return list(undercut(quota(one, PolicyFile.model_construct(), "") for one in written))


def test_a_limit_that_another_always_undercuts_is_found_among_all_quotas() -> None:
    (found,) = idle({"limit": ["3 concurrent", "9 tokens/day"]}, {"limit": "5 tokens/day"})
    assert (found.quota_id, found.limit) == ("q0", 1)
    assert '"q1" counts the same' in found.message


def test_of_two_equal_limits_the_second_is_idle() -> None:
    (found,) = idle({"limit": "5/day"}, {"limit": "5/day"})
    assert found.quota_id == "q1"


@pytest.mark.parametrize(
    "other",
    [
        {"limit": "5 tokens/hour"},
        {"limit": "5 output_tokens/day"},
        {"limit": "5 tokens/day", "per": "model"},
        {"limit": "5 tokens/day", "per": "organization", "missing": "skip"},
        {"limit": "5 tokens/day", "when": "request.stream"},
        {"limit": "5 tokens/day", "mode": "shadow"},
        {"limit": "5 tokens/day", "window": "bucket"},
        {"limit": "5 tokens/day", "window": "calendar"},
        {"limit": "5 tokens/day", "weights": {"output": 4}},
        {"limit": "5 tokens/day", "scale": {"pro": 10}},
        {"limit": "10 tokens/day"},
    ],
)
def test_what_counts_something_else_undercuts_nothing(other: dict[str, object]) -> None:
    found = idle({"limit": "9 tokens/day"}, other)
    assert [one.quota_id for one in found] == (["q1"] if other["limit"] == "10 tokens/day" else [])


def test_a_bucket_with_a_larger_burst_is_not_undercut() -> None:
    wide = {"limit": "9/day", "window": "bucket", "burst": 2}
    assert idle(wide, {"limit": "5/day", "window": "bucket", "burst": 5}) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("200 requests/hour", "100 requests/day"),
        ("100 requests/hour", "100 requests/day"),
        ("5M tokens/day", "5M tokens/week"),
    ],
)
def test_as_much_in_a_longer_true_window_undercuts_too(one: str, other: str) -> None:
    (found,) = idle({"limit": one}, {"limit": other})
    assert (found.quota_id, found.limit) == ("q0", 0)
    (beside,) = idle({"limit": [one, other]})
    assert beside.limit == 0
    assert "beside it grants no more in a longer window" in beside.message


@pytest.mark.parametrize("window", ["bucket", "calendar"])
def test_of_other_windows_no_length_undercuts_another(window: str) -> None:
    rules = ({"limit": limit, "window": window} for limit in ("9 requests/hour", "9 requests/day"))
    assert idle(*rules) == []


def test_what_holds_everywhere_undercuts_what_holds_somewhere_and_not_the_reverse() -> None:
    somewhere = {"limit": "9/day", "when": "request.stream"}
    (found,) = idle(somewhere, {"limit": "5/day"})
    assert found.quota_id == "q0"
    assert idle({**somewhere, "limit": "5/day"}, {"limit": "9/day"}) == []


def test_a_longer_window_that_some_plan_has_more_of_undercuts_nothing() -> None:
    assert idle({"limit": "9/hour"}, {"limit": "5/day", "scale": {"pro": 10}}) == []


def test_a_condition_that_never_or_always_holds_is_doubtful() -> None:
    ((place, never),) = said(rule("5/minute", when='request.dialect == "open-ai"'))
    assert place == ("when",)
    assert "never holds, whatever request.dialect is." in never
    assert "Its values: anthropic, gemini, openai." in never
    ((_, always),) = said(rule("5/minute", when="account.age_days >= 0"))
    assert "always holds, whatever account.age_days is" in always


def test_a_route_that_an_operator_declared_can_be_asked_for() -> None:
    written = rule("5/minute", when='request.route == "audio"')
    route = Route("audio", "POST", "/v1/audio", generates=False)
    ((_, message),) = said(written)
    assert "chat" in message
    assert list(doubts(written, SOME_PRICES, [DeclaredRoute("openai", route)])) == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"limit": "2 tokens/day"}, "2 tokens is less than almost any request takes"),
        ({"limit": "1k tokens/day", "scale": {"free": 0.001}}, "A ceiling of 1 token is less"),
        ({"limit": "5k tokens/day", "window": "bucket", "burst": 5}, "5 tokens is less"),
        ({"limit": "0.000001 USD/day", "unpriced": "free"}, "0.000001 USD is less"),
    ],
)
def test_a_limit_below_almost_any_request_is_doubtful(keys: dict[str, object], words: str) -> None:
    ((place, message),) = said(rule(**keys))
    assert place == ("limit", 0)
    assert words in message


@pytest.mark.parametrize(
    "limit", ["1/day", "1 concurrent", "50 tokens/day", "10 output_tokens/day"]
)
def test_a_small_limit_that_a_request_can_fit_is_none_of_that(limit: str) -> None:
    assert said(rule(limit)) == []


def test_what_may_be_overridden_undercuts_nothing_but_its_own_limits() -> None:
    exception = {"limit": "1 concurrent", "when": "request.stream", "overrides": "q1"}
    assert idle({"limit": "9/day"}, {"limit": "5/day"}, exception) == []
    (found,) = idle({"limit": "9/day"}, {"limit": ["5/hour", "4/day"]}, exception)
    assert (found.quota_id, found.limit) == ("q1", 0)


def test_a_weaker_one_that_may_not_be_overridden_is_found_behind_one_that_may() -> None:
    exception = {"limit": "1 concurrent", "when": "request.stream", "overrides": "q1"}
    (found,) = idle({"limit": "9/day"}, {"limit": "5/day"}, exception, {"limit": "7/day"})
    assert found.quota_id == "q0"
    assert '"q3" counts the same' in found.message


def test_a_limit_that_overrides_others_is_not_there_for_nothing() -> None:
    assert (
        idle({"limit": "9/day", "overrides": "q2"}, {"limit": "5/day"}, {"limit": "3/hour"}) == []
    )


@pytest.mark.parametrize("name", ["end_user", "session"])
def test_a_hint_that_few_send_needs_somebody_and_a_word_on_who_sends_none(name: str) -> None:
    alone, unsaid = said(rule("5/minute", per=name))
    assert f"Callers choose request.{name} themselves" in alone[1]
    assert f"without request.{name} is counted by its account" in unsaid[1]
    assert said(rule("5/minute", per=["account", name], missing="skip")) == []

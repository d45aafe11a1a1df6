import pytest

from gateway.policy.compile import prices, quota
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.predicate import condition
from gateway.policy.quota import (
    SECOND_US,
    Limit,
    Missing,
    Mode,
    OnAbort,
    Period,
    Unit,
    Unpriced,
    WindowKind,
)
from gateway.policy.weights import Weights

MINUTE_US = 60 * SECOND_US


def rule(limit: object, **keys: object) -> QuotaRule:
    return QuotaRule.model_validate({"id": "a", "why": "Because.", "limit": limit, **keys})


def file(mode: str = "enforce") -> PolicyFile:
    return PolicyFile.model_validate({"mode": mode})


def test_a_rule_becomes_a_quota() -> None:
    compiled = quota(
        rule(["5/minute", "2 concurrent"], per=["account", "model"], missing="skip", lease="10s"),
        file(),
        "f:3",
    )
    assert compiled.limits == (
        Limit("a", Unit.REQUESTS, WindowKind.SLIDING, 5, MINUTE_US, 5, 10 * SECOND_US),
        Limit("a", Unit.CONCURRENT, WindowKind.IN_FLIGHT, 2, 0, 2, 10 * SECOND_US),
    )
    assert compiled.per == ("account.id", "request.model")
    assert (compiled.id, compiled.why, compiled.where) == ("a", "Because.", "f:3")
    assert compiled.missing is Missing.SKIP


def test_a_bucket_bursts_as_written_and_otherwise_to_its_limit() -> None:
    (written,) = quota(rule("5/minute", window="bucket", burst=2), file(), "").limits
    assert (written.kind, written.burst, written.ceiling) == (WindowKind.BUCKET, 2, 2)
    (silent,) = quota(rule("5/minute", window="bucket"), file(), "").limits
    assert silent.ceiling == 5


@pytest.mark.parametrize(
    ("of_file", "of_rule", "holds"),
    [
        ("enforce", {}, Mode.ENFORCE),
        ("shadow", {}, Mode.SHADOW),
        ("shadow", {"mode": "enforce"}, Mode.ENFORCE),
        ("enforce", {"mode": "shadow"}, Mode.SHADOW),
    ],
)
def test_the_rules_mode_wins_over_the_files(
    of_file: str, of_rule: dict[str, str], holds: Mode
) -> None:
    assert quota(rule("5/minute", **of_rule), file(of_file), "").mode is holds


def test_each_plan_has_limits_of_its_own() -> None:
    written = rule(
        ["100 tokens/day", "3 concurrent"],
        window="bucket",
        burst="9",
        scale={"free": 0.5, "pro": 5, "default": 2},
    )
    compiled = quota(written, file(), "")
    assert [limit.amount for limit in compiled.limits] == [200, 6]
    assert [limit.amount for limit in compiled.limits_of("free")] == [50, 1]
    assert [limit.amount for limit in compiled.limits_of("pro")] == [500, 15]
    assert compiled.limits_of("other") == compiled.limits_of(None) == compiled.limits
    assert [compiled.limits_of(plan)[0].burst for plan in ("free", "pro", None)] == [4, 45, 18]


def test_plans_share_their_meters() -> None:
    compiled = quota(rule("100 tokens/day", scale={"pro": 5}), file(), "")
    assert compiled.limits_of("pro")[0].meter == compiled.limits[0].meter


def test_no_plan_is_scaled_to_nothing() -> None:
    compiled = quota(rule("3 concurrent", scale={"free": 0.1}), file(), "")
    assert compiled.limits_of("free")[0].amount == 1


def test_without_a_scale_all_plans_have_what_is_written() -> None:
    compiled = quota(rule("3 concurrent"), file(), "")
    assert compiled.limits_of("free") == compiled.limits


def test_a_calendar_window_knows_its_period_and_whose_midnight_it_is() -> None:
    written = rule(["40 USD/month", "2 concurrent"], window="calendar", timezone="Europe/Berlin")
    by_month, in_flight = quota(written, file(), "").limits
    assert (by_month.kind, by_month.period) == (WindowKind.CALENDAR, Period.MONTH)
    assert by_month.timezone == "Europe/Berlin"
    assert (in_flight.kind, in_flight.period, in_flight.timezone) == (
        WindowKind.IN_FLIGHT,
        None,
        "",
    )
    (silent,) = quota(rule("5 requests/day", window="calendar"), file(), "").limits
    assert silent.timezone == "UTC"


def test_a_calendar_window_of_another_timezone_is_another_meter() -> None:
    (berlin,) = quota(rule("5/day", window="calendar", timezone="Europe/Berlin"), file(), "").limits
    (utc,) = quota(rule("5/day", window="calendar"), file(), "").limits
    (sliding,) = quota(rule("5/day"), file(), "").limits
    assert len({berlin.meter, utc.meter, sliding.meter}) == 3


def test_weights_are_for_the_limits_of_tokens_alone() -> None:
    written = rule(
        ["5 tokens/day", "5 output_tokens/day"],
        weights={"cached": 0.1, "cache_write": 1.25, "output": 4},
    )
    weighted, plain = quota(written, file(), "").limits
    assert weighted.weights == Weights(1_000_000, 100_000, 1_250_000, 4_000_000, 4_000_000)
    assert plain.weights is None


def test_what_is_not_weighed_counts_as_what_it_is_a_part_of() -> None:
    (limit,) = quota(rule("5 tokens/day", weights={"input": 0, "output": 3}), file(), "").limits
    assert limit.weights == Weights(0, 0, 0, 3_000_000, 3_000_000)


def test_a_price_that_is_not_written_is_that_of_what_the_tokens_are_a_part_of() -> None:
    written = PolicyFile.model_validate(
        {
            "prices": {
                "a": {"input": "3 USD", "output": "15 USD"},
                "b": {
                    "input": "3 USD",
                    "cached": "0.30 USD",
                    "cache_write": "3.75 USD",
                    "output": "15 USD",
                    "reasoning": "20 USD",
                },
            }
        }
    )
    assert prices(written.prices) == {
        "a": Weights(3_000_000, 3_000_000, 3_000_000, 15_000_000, 15_000_000),
        "b": Weights(3_000_000, 300_000, 3_750_000, 15_000_000, 20_000_000),
    }


def test_what_else_is_written_is_compiled_as_it_is() -> None:
    compiled = quota(
        rule("4 USD/day", when="request.n > 1", warn_at="80%", unpriced="refuse"), file(), ""
    )
    assert compiled.when == condition("request.n > 1")
    assert (compiled.warn_at_percent, compiled.unpriced) == (80, Unpriced.REFUSE)


def test_what_an_abort_costs_is_said_of_each_limit() -> None:
    kept = quota(rule("2M tokens/day", on_abort="reservation"), file(), "")
    assert [one.on_abort for one in kept.limits] == [OnAbort.RESERVATION]
    assert quota(rule("2M tokens/day"), file(), "").limits[0].on_abort is OnAbort.DELIVERED

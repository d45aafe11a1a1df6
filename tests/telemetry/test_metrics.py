"""What Prometheus would scrape, read back by its own parser."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY

from gateway.decision.finished import Finished
from gateway.decision.judge import judge
from gateway.decision.plan import Gaps, Plan
from gateway.decision.settlement import Delivered, settlement
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.facts.usage import Usage
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.summary import summarise
from tests.telemetry import exchanges

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def recorded(*told: Finished) -> Metrics:
    metrics = Metrics()
    for finished in told:
        metrics.record(summarise(finished))
    return metrics


def scraped(metrics: Metrics) -> Series:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return scraped(metrics).get((name, tuple(sorted(labels.items()))))


def test_an_answered_exchange_is_counted_once_in_every_family() -> None:
    metrics = recorded(exchanges.answered())
    assert (
        value(metrics, "gateway_requests_total", route="chat", decision="allow", status_class="2xx")
        == 1
    )
    assert (
        value(
            metrics,
            "gateway_decisions_total",
            policy="tokens-per-day",
            decision="allow",
            mode="enforce",
        )
        == 1
    )
    assert value(metrics, "gateway_tokens_total", route="chat", direction="input") == 12
    assert value(metrics, "gateway_tokens_total", route="chat", direction="output") == 34
    assert value(metrics, "gateway_settlements_total", basis="reported") == 1
    assert value(metrics, "gateway_request_duration_seconds_sum", route="chat") == 2
    assert value(metrics, "gateway_time_to_first_chunk_seconds_sum", route="chat") == 0.5
    assert value(metrics, "gateway_overhead_seconds_sum") == pytest.approx(0.01)
    assert value(metrics, "gateway_overhead_seconds_count") == 1


def test_an_answer_with_an_absurd_count_is_counted_by_its_route() -> None:
    settled = settlement(exchanges.ESTIMATE, Usage(3, absurd=True), Delivered(began=True))
    metrics = recorded(exchanges.answered(), exchanges.answered(settlement=settled))
    assert value(metrics, "gateway_usage_absurd_total", route="chat") == 1


def test_a_refusal_names_its_policy_and_measures_no_first_chunk() -> None:
    metrics = recorded(exchanges.refused())
    assert (
        value(
            metrics,
            "gateway_requests_total",
            route="chat",
            decision="throttle",
            status_class="4xx",
        )
        == 1
    )
    assert (
        value(
            metrics,
            "gateway_decisions_total",
            policy="requests-per-minute",
            decision="throttle",
            mode="enforce",
        )
        == 1
    )
    assert value(metrics, "gateway_time_to_first_chunk_seconds_count", route="chat") == 0
    assert value(metrics, "gateway_tokens_total", route="chat", direction="input") is None


def test_a_shadow_quota_is_counted_beside_the_one_that_bound() -> None:
    metrics = recorded(exchanges.answered(exchanges.shadowed()))
    assert (
        value(
            metrics,
            "gateway_decisions_total",
            policy="strict-tomorrow",
            decision="shadow_deny",
            mode="shadow",
        )
        == 1
    )


def test_what_a_request_did_not_tell_is_counted_by_policy() -> None:
    gaps = Gaps(conditions=("large-models",), partitions=("by-team", "by-user"))
    plan = Plan((), exchanges.ESTIMATE, exchanges.DIGEST, gaps=gaps)
    metrics = recorded(exchanges.answered(judge(plan, None, {})), exchanges.answered())
    assert value(metrics, "gateway_condition_failures_total", policy="large-models") == 1
    for policy in gaps.partitions:
        assert value(metrics, "gateway_partition_missing_total", policy=policy) == 1


def test_what_was_never_judged_names_no_policy() -> None:
    metrics = recorded(exchanges.rejected(route=None, path=""))
    assert (
        value(
            metrics,
            "gateway_requests_total",
            route="other",
            decision="unjudged",
            status_class="4xx",
        )
        == 1
    )
    assert not [name for name, _ in scraped(metrics) if name == "gateway_decisions_total"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"upstream_error": "timeout", "upstream_status": None}, "timeout"),
        ({"upstream_status": 429}, "http_429"),
        ({"upstream_status": 400}, "http_4xx"),
        ({"upstream_status": 529}, "http_5xx"),
    ],
)
def test_a_failing_model_api_is_counted_by_how_it_fails(changes: dict[str, Any], kind: str) -> None:
    metrics = recorded(exchanges.answered(**changes))
    assert value(metrics, "gateway_upstream_errors_total", kind=kind) == 1


def test_a_store_that_fails_is_counted_by_how() -> None:
    metrics = Metrics()
    metrics.store_failed("readonly")
    metrics.settlement_failed("timeout")
    assert value(metrics, "gateway_store_errors_total", kind="readonly") == 1
    assert value(metrics, "gateway_settlement_failures_total", kind="timeout") == 1


def test_only_the_present_state_of_the_store_is_shown() -> None:
    metrics = Metrics()
    metrics.store_is("degraded")
    metrics.store_is("ok")
    assert value(metrics, "gateway_store_state", state="ok") == 1
    assert b'state="degraded"' not in metrics.text()


def test_only_the_policies_in_force_are_shown() -> None:
    metrics = Metrics()
    metrics.policies_in_force("aaaaaaaaaaaa")
    metrics.policies_in_force("bbbbbbbbbbbb")
    assert value(metrics, "gateway_config_info", hash="bbbbbbbbbbbb") == 1
    assert value(metrics, "gateway_config_info", hash="aaaaaaaaaaaa") is None


def test_open_reservations_are_shown_once_somebody_has_counted() -> None:
    metrics = Metrics()
    assert value(metrics, "gateway_reservations_open") is None
    metrics.reservations_open(3)
    assert value(metrics, "gateway_reservations_open") == 3
    metrics.reservations_open(None)
    assert value(metrics, "gateway_reservations_open") is None


def test_failures_of_a_reload_are_told_from_none_on() -> None:
    metrics = Metrics()
    metrics.can_be_reloaded("accounts")
    assert value(metrics, "gateway_config_reload_failures_total", what="accounts") == 0
    metrics.reload_failed("accounts")
    assert value(metrics, "gateway_config_reload_failures_total", what="accounts") == 1


def test_the_gauge_of_what_is_in_flight_is_read_when_scraped() -> None:
    metrics = Metrics()
    metrics.in_flight = 4
    assert value(metrics, "gateway_inflight") == 4


def test_totals_are_the_sums_that_a_person_wants() -> None:
    metrics = recorded(
        exchanges.answered(),
        exchanges.answered(upstream_status=500, status=500),
        exchanges.refused(),
        exchanges.refused(exchanges.refusing(retry_after_us=None)),
        exchanges.rejected(),
    )
    totals = metrics.totals()
    assert (totals.allowed, totals.refused, totals.unjudged, totals.failed) == (2, 2, 1, 1)
    assert (totals.input_tokens, totals.output_tokens) == (24, 68)


def test_three_thousand_accounts_make_no_new_series() -> None:
    def by(i: int) -> Iterator[Finished]:
        principal = Principal(Account(f"acct_{i}", organization=f"org_{i}"), f"192.0.2.{i % 250}")
        ask = Ask(model=f"model-{i}", stream=True, end_user=f"user-{i}")
        told: dict[str, Any] = {"principal": principal, "ask": ask, "user_agent": f"agent/{i}"}
        yield exchanges.answered(**told)
        yield exchanges.refused(**told)
        yield exchanges.rejected(route=None, path="", method=f"METHOD-{i}")

    metrics = recorded(*by(0))
    once = set(scraped(metrics))
    for i in range(1, 3_000):
        for finished in by(i):
            metrics.record(summarise(finished))
    assert set(scraped(metrics)) == once
    assert len(once) < 300


def test_an_ordinary_request_updates_prometheus_three_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metrics = Metrics()
    updates: list[str] = []
    for kind, update in ((Histogram, "observe"), (Counter, "inc"), (Gauge, "set")):
        monkeypatch.setattr(kind, update, lambda *_, of=kind: updates.append(of.__name__))
    metrics.record(summarise(exchanges.answered()))
    assert updates == ["Histogram"] * 3


def test_the_global_registry_is_left_alone() -> None:
    Metrics()
    Metrics()
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("gateway_")]

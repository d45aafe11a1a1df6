import pytest

from gateway.replay.record import Record, RecordedAnswer, RecordedUsage
from tests.benchmarks.detection.bootstrap import bound, ratio_interval
from tests.benchmarks.detection.measures import Measures, measured
from tests.benchmarks.detection.verdicts import RUNGS, Verdict

DAY_S = 86_400
FREE = Verdict(0, allowed=True)


def record(at: float, account: str, label: str, tokens: int = 100, **attributes: str) -> Record:
    usage = RecordedUsage(input_tokens=10, output_tokens=tokens)
    return Record(
        at=at,
        account=account,
        path="/v1/chat/completions",
        attributes=dict(attributes),
        response=RecordedAnswer(usage=usage),
        label=label,
    )


def at(rung: str, *, allowed: bool = True) -> Verdict:
    return Verdict(RUNGS.index(rung), allowed)


def test_detection_counts_the_exchange_that_was_seen() -> None:
    verdicts = [FREE, FREE, at("tag"), at("throttle"), at("degrade")]
    made = measured(
        ((record(n, f"a{n}", "campaign/fleet"), one) for n, one in enumerate(verdicts)), 0
    ).campaigns["fleet"]
    assert (made.detected, made.contained) == (4, 5)
    assert (made.leaked, made.leaked_tokens, made.tokens) == (4, 400, 500)
    assert made.detected_after_s == 3


def test_cover_counts_apart() -> None:
    labels = ["campaign/c/cover", "campaign/c", "campaign/c/cover", "campaign/c"]
    verdicts = [FREE, FREE, FREE, at("throttle", allowed=False)]
    made = measured(
        (
            (record(n, "a", label), one)
            for n, (label, one) in enumerate(zip(labels, verdicts, strict=True))
        ),
        0,
    ).campaigns["c"]
    assert (made.detected, made.detected_harvested) == (4, 2)
    assert (made.contained, made.contained_harvested) == (4, 2)
    assert (made.leaked, made.leaked_harvested) == (3, 1)


def test_containment_is_what_is_stopped_once_it_was_seen() -> None:
    verdicts = [at("throttle"), at("throttle"), at("throttle", allowed=False), at("degrade")]
    made = measured(
        ((record(n, "a", "campaign/c"), one) for n, one in enumerate(verdicts)), 0
    ).campaigns["c"]
    assert made.after_stopped_tokens / made.after_tokens == pytest.approx(2 / 3)


def test_each_wave_is_measured_by_itself_and_with_the_others() -> None:
    labels = ["campaign/c", "campaign/c/wave-2", "campaign/c/wave-2"]
    verdicts = [at("throttle"), FREE, at("block", allowed=False)]
    made = measured(
        (
            (record(n, f"a{n}", label, payment=f"pm_{n % 2}"), one)
            for n, (label, one) in enumerate(zip(labels, verdicts, strict=True))
        ),
        0,
    ).campaigns
    assert made["c"].detected == 1
    assert made["c/wave-2"].detected == 2
    assert len(made["c"].instruments) == 2


def test_an_honest_account_day_counts_once_at_each_rung_up_to_the_highest() -> None:
    verdicts = [
        (0.1, FREE),
        (0.2, at("throttle")),
        (0.3, at("tag")),
        (1.5, FREE),
        (2.5, at("block", allowed=False)),
    ]
    made = measured(
        ((record(day * DAY_S, "a", "benign/chat"), one) for day, one in verdicts), 0
    ).populations["chat"]
    assert made.account_days == 3
    hits = {rung: made.hits(number) for number, rung in enumerate(RUNGS)}
    assert (hits["tag"], hits["throttle"], hits["degrade"], hits["block"]) == (2, 2, 1, 1)


def test_the_first_week_is_not_counted() -> None:
    measures = Measures(test_from_s=7 * DAY_S)
    measures.note(record(6 * DAY_S, "a", "benign/chat"), at("block"))
    measures.note(record(8 * DAY_S, "a", "benign/chat"), FREE)
    assert measures.populations["chat"].account_days == 1
    assert measures.populations["chat"].hits(RUNGS.index("block")) == 0


def test_attribution_weighs_those_found_against_those_hit_by_mistake() -> None:
    measures = Measures(0)
    for number in range(5):
        measures.note(record(number, "bad", "campaign/c"), at("throttle"))
        measures.note(record(number, "missed", "campaign/c"), FREE)
    measures.note(record(9, "good", "benign/chat"), at("throttle"))
    assert measures.attribution == (0.5, 0.5)
    assert measures.collateral == 1.0


def test_so_few_days_prove_so_little() -> None:
    assert bound(60_000) == pytest.approx(0.00005)
    assert bound(0) == 1.0


def test_an_interval_holds_the_rate_and_widens_with_fewer_accounts() -> None:
    many = [(1, 10)] * 50 + [(0, 10)] * 450
    few = [(1, 10)] * 2 + [(0, 10)] * 18
    low, high = ratio_interval(many)
    assert low < 0.01 < high
    wide_low, wide_high = ratio_interval(few)
    assert wide_high - wide_low > high - low
    assert ratio_interval([(0, 10)] * 5) == (0.0, 0.0)

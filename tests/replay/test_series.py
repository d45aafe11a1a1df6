from gateway.replay.series import FIRST_WIDTH_US, MOST_SPANS, Series


def test_spans_are_merged_before_there_are_too_many() -> None:
    series = Series()
    moments = range(0, 10_000 * FIRST_WIDTH_US, FIRST_WIDTH_US)
    for at_us in moments:
        series.at(at_us).exchanges += 1
        series.at(at_us).by_policy["requests"] = 1 + series.at(at_us).by_policy.get("requests", 0)
    assert len(series.spans) <= MOST_SPANS
    assert sum(span.exchanges for span in series.spans.values()) == len(moments)
    assert sum(span.by_policy["requests"] for span in series.spans.values()) == len(moments)
    assert series.width_us == FIRST_WIDTH_US * 32


def test_a_long_silence_costs_nothing() -> None:
    series = Series()
    series.at(0).exchanges += 1
    series.at(10**15).exchanges += 1
    assert len(series.spans) == 2
    assert max(series.spans) - min(series.spans) < MOST_SPANS


def test_a_moment_falls_into_the_span_that_holds_it() -> None:
    series = Series()
    assert series.at(59_999_999) is series.at(0)
    assert series.at(60_000_000) is not series.at(59_999_999)

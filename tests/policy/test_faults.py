import pytest

from gateway.policy.document import QuotaRule
from gateway.policy.faults import faults


def rule(limit: object, **keys: object) -> QuotaRule:
    return QuotaRule.model_validate({"id": "a", "why": "Because.", "limit": limit, **keys})


@pytest.mark.parametrize(
    ("written", "place", "words"),
    [
        (rule("5/minute", burst=2), ("burst",), "does nothing in a sliding window"),
        (rule("5/minute", window="sliding", burst=2), ("burst",), "does nothing in a sliding"),
        (rule("5/minute", window="calendar", burst=2), ("burst",), "nothing in a calendar window"),
        (rule("5 concurrent", window="bucket"), ("window",), "in flight has no window"),
        (rule("5 concurrent", burst=2), ("burst",), "in flight has no window"),
        (rule("5 concurrent", timezone="UTC"), ("timezone",), "in flight has no window"),
        (rule("5/minute", timezone="UTC"), ("timezone",), "does nothing in a sliding window"),
        (rule("5/minute", lease="10s"), ("lease",), "this rule has none"),
        (rule(["5/minute", "6/60 seconds"]), ("limit", 1), "the same thing twice"),
        (rule(["5 concurrent", "6 concurrent"]), ("limit", 1), "the same thing twice"),
        (rule("5/minute", per=["model", "request.model"]), ("per", 1), "the same thing twice"),
        (
            rule(["5/minute", "6 tokens/day"], window="bucket", burst=2),
            ("burst",),
            "count different units",
        ),
        (
            rule("1_000_001 requests/second", window="bucket"),
            ("limit", 0),
            "at most once in a microsecond",
        ),
        (
            rule("500k requests/second", window="bucket", scale={"free": 1, "pro": 5}),
            ("scale", "pro"),
            "at most once in a microsecond",
        ),
        (
            rule("1 tokens/day", window="bucket", burst=367),
            ("burst",),
            "more than a year to refill. Write at most 366.",
        ),
        (
            rule("0.000001 USD/day", window="bucket", burst="1 USD"),
            ("burst",),
            "at most 366 millionths of a USD",
        ),
        (rule("5 USD/day", window="bucket", burst=50), ("burst",), "Write it with USD"),
        (rule("5 tokens/day", window="bucket", burst="5 USD"), ("burst",), "Write it with no USD"),
        (rule("5/15 minutes", window="calendar"), ("limit", 0), "No calendar has such a window"),
        (rule("5/second", window="calendar"), ("limit", 0), "minute, hour, day, week, month"),
        (rule("5/30 days", window="calendar"), ("limit", 0), "No calendar has such a window"),
        (rule("5/day", weights={"output": 4}), ("weights",), "this rule has none"),
        (
            rule("5 tokens/day", weights={"input": 0, "output": 0}),
            ("weights",),
            "With these weights nothing counts",
        ),
        (rule("5 tokens/day", unpriced="free"), ("unpriced",), "this rule has none"),
        (rule("1G tokens/day", scale={"pro": 2_000}), ("scale", "pro"), "the most that is counted"),
        (rule("1k USD/day", scale={"pro": 1_200}), ("scale", "pro"), "the most that is counted"),
    ],
)
def test_keys_that_contradict_each_other_are_faults(
    written: QuotaRule, place: tuple[str | int, ...], words: str
) -> None:
    (found,) = faults(written)
    assert found.path == place
    assert found.offset is None
    assert words in found.message


def test_the_faults_of_a_condition_stand_inside_it() -> None:
    first, second = faults(rule("5/minute", when='request.modal == "a" && account.pln == ""'))
    assert first.path == second.path == ("when",)
    assert (first.offset, second.offset) == (0, 24)
    assert "request.modal" in first.message


@pytest.mark.parametrize(
    "written",
    [
        rule(["5/minute", "100/hour", "5 tokens/minute", "3 concurrent"], lease="5s"),
        rule(["5/minute", "3 concurrent"], window="bucket", burst=2, lease="1h"),
        rule("5/minute", window="bucket", burst=50),
        rule("1 tokens/day", window="bucket", burst=366),
        rule("1M requests/second", window="bucket"),
        rule("5 concurrent"),
        rule(["40 USD/day", "200 USD/week"], window="calendar", timezone="Asia/Tokyo"),
        rule(["5 USD/day", "3 concurrent"], window="bucket", burst="9 USD", unpriced="free"),
        rule(["5 tokens/day", "5/day"], weights={"output": 4}, scale={"pro": 5}),
        rule("5/day", when='account.plan == "free"', warn_at="80%"),
    ],
)
def test_what_fits_together_has_no_faults(written: QuotaRule) -> None:
    assert list(faults(written)) == []

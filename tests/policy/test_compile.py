import pytest

from gateway.policy.compile import doubts, faults, quota
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.quota import SECOND_US, Limit, Missing, Mode, Unit, WindowKind

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


@pytest.mark.parametrize(
    ("written", "place", "words"),
    [
        (rule("5/minute", burst=2), ("burst",), "does nothing in a sliding window"),
        (rule("5/minute", window="sliding", burst=2), ("burst",), "does nothing in a sliding"),
        (rule("5 concurrent", window="bucket"), ("window",), "in flight has no window"),
        (rule("5 concurrent", burst=2), ("burst",), "in flight has no window"),
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
            rule("1 tokens/day", window="bucket", burst=367),
            ("burst",),
            "more than a year to refill. Write at most 366",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_faults(
    written: QuotaRule, place: tuple[str | int, ...], words: str
) -> None:
    ((found, message),) = faults(written)
    assert found == place
    assert words in message


@pytest.mark.parametrize(
    "written",
    [
        rule(["5/minute", "100/hour", "5 tokens/minute", "3 concurrent"], lease="5s"),
        rule(["5/minute", "3 concurrent"], window="bucket", burst=2, lease="1h"),
        rule("5/minute", window="bucket", burst=50),
        rule("1 tokens/day", window="bucket", burst=366),
        rule("1M requests/second", window="bucket"),
        rule("5 concurrent"),
    ],
)
def test_what_fits_together_has_no_faults_and_raises_no_doubts(written: QuotaRule) -> None:
    assert list(faults(written)) == []
    assert list(doubts(written)) == []


def test_a_rule_without_a_why_is_doubtful() -> None:
    ((place, message),) = doubts(QuotaRule.model_validate({"id": "a", "limit": "5/minute"}))
    assert place == ()
    assert 'has no "why"' in message


def test_a_bucket_that_a_slower_one_with_the_same_burst_always_undercuts_is_doubtful() -> None:
    # 200k an hour refill faster than 1M a day, from the same burst
    written = rule(["200k tokens/hour", "1M tokens/day", "3 concurrent"], window="bucket", burst=50)
    ((place, message),) = doubts(written)
    assert place == ("limit", 0)
    assert "never binds" in message

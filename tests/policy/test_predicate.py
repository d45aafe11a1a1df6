import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts.catalog import CATALOG
from gateway.policy.predicate import CHARACTERS, ConditionFaults, condition, together


def faults(text: str) -> list[tuple[str, str]]:
    """What stands where each fault is, and its message."""
    with pytest.raises(ConditionFaults) as refused:
        condition(text)
    return [(text[at:], message) for at, message in refused.value.faults]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ('request.model.startsWith("frontier-")', ["request.model"]),
        ("account.age_days < 30 && account.age_days > 2", ["account.age_days"]),
        ('account.plan in ["free", "trial"] || request.n > 1', ["account.plan", "request.n"]),
        ('"beta" in account.tags', ["account.tags"]),
        ('"eu" in account.attributes', ["account.attributes"]),
        ("request.temperature > 1.5 && request.stream", ["request.temperature", "request.stream"]),
        ('account.tags.exists(t, t.matches("^x"))', ["account.tags"]),
        ('// why\nrequest.model == "a" // because', ["request.model"]),
    ],
)
def test_a_condition_knows_the_facts_that_it_names(text: str, facts: list[str]) -> None:
    found = condition(text)
    assert [fact.name for fact in found.facts] == facts
    assert found.doubts == ()


@pytest.mark.parametrize("name", CATALOG)
def test_every_fact_of_the_catalogue_can_stand_in_a_condition(name: str) -> None:
    assert [fact.name for fact in condition(f"{name} == {name}").facts] == [name]


def test_a_condition_is_slow_if_all_that_it_names_is() -> None:
    assert condition('request.model == "a" && account.plan == "b"').slow
    assert not condition('request.model == "a" && request.n == 1').slow


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('request.modal == "a"', "request.modal", 'Did you mean "request.model"?'),
        ('true || account.pln == ""', "account.pln", 'Did you mean "account.plan"?'),
        ('organization == "a"', "organization", 'Did you mean "account.organization"?'),
        ('request == "a"', "request ==", '"request" is not a fact. Allowed: request.route'),
        ("has(account.plann) || request.stream", "account.plann", 'mean "account.plan"?'),
        ('prompt.frame == "x"', "prompt.frame", '"prompt.frame" tells what a prompt looks like: o'),
        ("usage.cost > 1.0", "usage.cost", "known after the answer: only behaviours can name it"),
        ("history.fresh", "history.fresh", "an account's own past: only behaviours can name it"),
        ("history.frehs", "history.frehs", "only behaviours can name it"),
        ('lower(request.model) == "a"', "lower(", '"lower" is not a function'),
        ('request.model.startWith("a")', "startWith", 'Did you mean "startsWith"?'),
        ("request.model == 5", "== 5", '"==" cannot be applied to text and a whole number'),
        ("request.temperature > 1", "> 1", "A number with decimals is written 1.0"),
        ("!account.age_days", "!account", '"!" cannot be applied to a whole number'),
        ('account.plan in "free"', "in ", '"in" cannot be applied to text and text'),
        ("request.stream ? 1 : true", "? 1", '"? :" cannot be applied'),
        ('request.model = "a"', "= ", "Compare with =="),
        ("request.stream and true", "and", '"and" is written && here'),
        ("not request.stream", "request", '"not" is written ! here'),
        ("request.stream &&", "", "ends too early"),
        ("", "", "ends too early"),
        ("request.stream true", "true", '"true" cannot stand here. Join conditions'),
        ("request.model == \u201ca\u201d", "\u201ca", "straight quotes"),
        ("request.model == 'a", "'a", "not closed"),
        ("request.stream # why", "# why", '"#" cannot stand in a condition'),
        ("request.n == 99999999999999999999", "99999", "invalid int literal"),
        ("request.model", "request", "this one gives text"),
        ("request.n", "request", "this one gives a whole number"),
        ("account.tags", "account", "this one gives something else"),
        ("has(request.model)", "has", "Facts always have a value"),
        ("dyn(request.stream)", "dyn", "this one gives something else"),
        ("1 < 2", "1 < 2", "names no fact"),
        ('request.model.matches("(")', '"("', "is not a pattern: missing )"),
        ('request.model.matches("(?=a)")', '"(?=a)"', "is not a pattern: invalid perl operator"),
        ('matches(request.model, r"(a)\\1")', 'r"(a)', "is not a pattern"),
        ("request.model.matches(account.plan)", ".plan)", "takes a pattern in quotes"),
        ("(" * 60 + "request.stream" + ")" * 60, "(((", "nested too deep"),
        ("request.stream" + " " * CHARACTERS, "request", "Write at most 2,000"),
    ],
)
def test_what_is_no_condition_is_refused_where_it_is_wrong(
    text: str, place: str, words: str
) -> None:
    ((found, message),) = faults(text)
    assert found.startswith(place)
    assert words in message


def test_all_unknown_facts_are_told_at_once() -> None:
    found = faults('request.modal == "a"\n && account.pln == "b"')
    assert [place[:13] for place, _ in found] == ["request.modal", "account.pln =="[:13]]


def test_where_nothing_can_be_read_only_the_first_fault_is_told() -> None:
    assert len(faults('request.model = "a" = "b"')) == 1


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('account.attributes["tier"] == "x"', '["tier"]', 'without the attribute "tier"'),
        ('account.attributes.tier == "x"', ".tier", 'without the attribute "tier"'),
        ("account.attributes[account.plan] == ''", "[account", "no such entry"),
        ('account.tags[0] == "x"', "[0]", "no such entry"),
        ("100 / request.n > 3", "/ request", "divided by is 0"),
        ("request.n % 0 == 1", "% 0", "divided by is 0"),
        ("request.n * 4000000000 * request.max_tokens > 1", "* request", "becomes too large"),
        ("int(account.plan) > 1", "(account", "int() fails for what it cannot read"),
    ],
)
def test_a_condition_that_can_fail_is_doubtful(text: str, place: str, words: str) -> None:
    ((at, message),) = condition(text).doubts
    assert text[at:].startswith(place)
    assert words in message
    assert "a condition that fails holds" in message


@pytest.mark.parametrize(
    "text",
    [
        '"tier" in account.attributes && account.attributes["tier"] == "x"',
        'has(account.attributes.tier) && account.attributes.tier == "x"',
        "request.n / 2 > 1",
        "request.input_tokens + request.max_tokens * request.n > 100000",
        "request.temperature * 1e300 > 1.0",
        "request.temperature / 2.0 > 0.5",
        "request.input_tokens % 7 == 0",
        'timestamp("2026-01-01T00:00:00Z") < timestamp("2027-01-01T00:00:00Z") || request.stream',
    ],
)
def test_what_asks_first_is_not_doubtful(text: str) -> None:
    assert condition(text).doubts == ()


def test_two_conditions_with_one_text_are_one() -> None:
    assert condition("request.stream") == condition("request.stream")
    assert len({condition("request.stream"), condition("request.stream")}) == 1


def test_a_condition_at_the_limit_of_depth_cannot_be_listed() -> None:
    deep = next(
        text
        for depth in range(60, 0, -1)
        if (text := "(" * depth + "request.stream" + ")" * depth) and _is_sound(text)
    )
    assert together([condition(deep)]) is None


def _is_sound(text: str) -> bool:
    try:
        condition(text)
    except ConditionFaults:
        return False
    return True


WORDS = st.sampled_from(
    [
        *("request.model", "request.n", "account.tags", "account.attributes", "account.", "x"),
        *("==", "<", "&&", "||", "!", "in", "?", ":", "(", ")", "[", "]", "{", "}", ",", ".", "/"),
        *('"a"', "'", '"', "5", "1.0", "0", "true", "matches", "exists", "has", "r'('", "\\", "é"),
        *(" ", "\n", "//", "\u2028", "and", "size", "prompt.frame", "\ud800", "9" * 30),
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.lists(WORDS, max_size=20).map("".join)))
def test_any_text_is_a_condition_or_located_faults(text: str) -> None:
    said: list[tuple[int, str]] = []
    try:
        found = condition(text)
    except ConditionFaults as refused:
        said += refused.faults
    else:
        assert found.facts
        said += [*found.doubts, (0, "sound")]
    assert said
    assert all(0 <= at <= len(text) and message for at, message in said)

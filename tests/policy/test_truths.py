import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.predicate import condition
from gateway.policy.truths import certain, impossible

VALUES = {"request.dialect": ("openai", "anthropic"), "request.route": ("chat", "messages")}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('account.plan == "a" && account.plan == "b"', "account.plan"),
        ('account.plan in ["a", "b"] && account.plan == "c"', "account.plan"),
        ('account.plan == "a" && !(account.plan in ["a", "b"])', "account.plan"),
        ('"b" == account.plan && account.plan != "b"', "account.plan"),
        ('request.model.startsWith("x") && request.model == "y"', "request.model"),
        ('request.model == "ab" && !request.model.endsWith("b")', "request.model"),
        ('request.model == "ab" && request.model.contains("c")', "request.model"),
        ("request.n > 5 && request.n < 5", "request.n"),
        ("request.n >= 5 && request.n <= 5 && request.n != 5", "request.n"),
        ("!(request.n >= 1) && request.n > 3", "request.n"),
        ("request.n < 0", "request.n"),
        ("request.n == 7 && 5 > request.n", "request.n"),
        ("request.n == 1 && request.n == 2 || request.n < 0", "request.n"),
        ("request.stream && !request.stream", "request.stream"),
        ('request.route == "chatt"', "request.route"),
        ('request.n > 1 && request.dialect == "open-ai"', "request.dialect"),
        ("account.age_days < -5", "account.age_days"),
    ],
)
def test_what_can_never_hold_is_found(text: str, fact: str) -> None:
    assert impossible(condition(text).root, VALUES) == fact
    assert certain(condition(text).root, VALUES) is None


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('account.plan != "a" || account.plan != "b"', "account.plan"),
        ("account.age_days >= 0", "account.age_days"),
        ("request.n > -1", "request.n"),
        ("request.stream || !request.stream", "request.stream"),
    ],
)
def test_what_always_holds_is_found(text: str, fact: str) -> None:
    assert certain(condition(text).root, VALUES) == fact
    assert impossible(condition(text).root, VALUES) is None


@pytest.mark.parametrize(
    "text",
    [
        'account.plan == "a" && request.n > 1',
        'account.plan == "a" || account.plan == "b"',
        'account.attributes["x"] == "a" && account.attributes["x"] == "b"',
        "request.n > -1 && request.n < 5 && request.stream",
        'request.route == "chat"',
        "request.temperature > 1.0 && request.temperature < 0.5",
        "request.n > 0 ? request.stream : !request.stream",
        '"x" in account.tags && !("y" in account.tags)',
        'request.model < "a"',
        "request.n == request.turns",
    ],
)
def test_what_may_hold_or_not_is_left_alone(text: str) -> None:
    root = condition(text).root
    assert impossible(root, VALUES) is certain(root, VALUES) is None


def test_a_condition_with_very_many_ways_is_not_judged() -> None:
    ways = " && ".join(f"(request.n < {n} || request.turns < {n})" for n in range(1, 12))
    assert impossible(condition(f"request.n > 50 && request.turns > 50 && {ways}").root, {}) is None


ATOMS = st.sampled_from(
    [
        *("request.n == 1", "request.n > 1", "request.n <= 2", "request.n != 0", "request.stream"),
        *('account.plan == "a"', 'account.plan in ["a", "b"]', 'account.plan.startsWith("b")'),
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inside: st.one_of(
        inside.map(lambda one: f"!({one})"),
        st.tuples(inside, st.sampled_from(["&&", "||"]), inside).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=5,
)


@given(CONDITIONS, st.integers(0, 4), st.booleans(), st.sampled_from(["", "a", "b", "ba", "c"]))
def test_it_never_says_of_a_condition_what_a_request_disproves(
    text: str, n: int, stream: bool, plan: str
) -> None:
    root = condition(text).root
    python = text.replace("&&", " and ").replace("||", " or ").replace("!(", " not (")
    python = python.replace("request.n", "n").replace("request.stream", "stream")
    python = python.replace("account.plan", "plan").replace("startsWith", "startswith")
    holds = eval(python, {"n": n, "stream": stream, "plan": plan})  # noqa: S307  our own text
    if holds:
        assert impossible(root, {}) is None
    else:
        assert certain(root, {}) is None

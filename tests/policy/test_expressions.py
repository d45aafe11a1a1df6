"""What is worked out in Python is what CEL says, whatever the expression and the facts."""

from dataclasses import replace

import pytest
from cel_expr_python import cel
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.facts.behaviour_facts import ALL_FACTS
from gateway.facts.catalog import Facts, FactType
from gateway.facts.history import History
from gateway.facts.principal import Account, Principal
from gateway.facts.prompt_traits import PromptTraits, Rest
from gateway.facts.usage import Usage
from gateway.policy.behaviour_expression import VARIABLES, expression
from gateway.policy.expressions import Expressions, MeasureCondition
from gateway.policy.predicate import ConditionFaults
from tests.parts.values import facts

LISTS = ("fishing", "weather")


def exchange(
    attributes: dict[str, str] | None = None,
    *,
    user_agent: str | None = None,
    past: History | None = None,
    lists: tuple[str, ...] = (),
    **ask: object,
) -> Facts:
    known = facts()
    account = Account("acct_1", plan="free", attributes=attributes or {}, created_at_s=0)
    return replace(
        known,
        principal=Principal(account, "192.0.2.1"),
        ask=replace(known.ask, **ask),  # type: ignore[arg-type]
        user_agent=user_agent,
        history=past or History(),
        prompt=PromptTraits(rest=Rest(lists=lists)),
        usage=Usage(input_tokens=7),
    )


def one(text: str, of: Facts) -> object:
    (value,) = Expressions([text]).values(of)
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("request.n", 1),
        ("request.n + 1 == 2", True),
        ("-7 / 2 + 0 * request.n", -3),
        ("-7 % 2 + 0 * request.n", -1),
        ("request.n / 0", None),
        ("request.n % 0 == 1 || request.n == 1", True),
        ("request.n == 1 || request.n / 0 == 1", True),
        ("request.n == 2 && request.n / 0 == 1", False),
        ("request.n / 0 == 1 && request.n == 2", False),
        ("request.n / 0 == 1 && request.n == 1", None),
        ("request.n + 9223372036854775807 > 0", None),
        ("request.temperature / 0.0 > 1e300", True),
        ('request.model + "!"', "small!"),
        ('request.model in ["small", "large"]', True),
        ("request.n in [2, 3]", False),
        ('"eu" in account.attributes', False),
        ('account.attributes["eu"] == "yes"', None),
        ('has(account.attributes.region) && account.attributes.region == "eu"', True),
        ('account.tags == ["a", "b"]', True),
        ('account.tags.exists(tag, tag == "b")', True),
        ("size(account.tags)", 2),
        ('request.model.matches("^s.*l$") && request.model.contains("mal")', True),
        ('request.stream ? "stream" : request.model', "small"),
        ("double(request.n) > 0.5", True),
        ("int(request.temperature) + request.n", 2),
        ('prompt.matches("fishing")', True),
        ('prompt.matches("weather")', False),
        ('prompt.matches("weather") || account.tags.all(tag, prompt.matches("fishing"))', True),
        ("history.requests > 5 && history.fresh && !history.novel", True),
        ("usage.input_tokens + usage.output_tokens", 7),
        ("usage.cost", 0.0),
        ("client.user_agent", ""),
    ],
)
def test_an_expression_has_its_value(text: str, value: object) -> None:
    asked = exchange({"tags": "a b", "region": "eu"}, past=History(requests=6), lists=("fishing",))
    found = one(text, asked)
    assert (type(found), found) == (type(value), value)


def test_what_fails_does_not_spoil_the_others() -> None:
    texts = [
        "request.n / 0",
        "request.n",
        'account.attributes["x"]',
        "request.n * 4611686018427387904 * 2",
    ]
    assert Expressions(texts).values(exchange()) == [None, 1, None, None]


def test_facts_are_read_once_and_the_past_comes_beside_them() -> None:
    expressions = Expressions(["request.n > 1 || history.fresh", "request.n", "request.turns"])
    assert [fact.name for fact in expressions.facts] == ["request.n", "request.turns"]
    assert expressions.evaluate([3, 9], History(fresh=False)) == [True, 3, 9]
    assert expressions.evaluate([None, 9], History(fresh=True)) == [True, None, 9]
    assert expressions.evaluate([None, 9], History(fresh=False)) == [None, None, 9]


def test_there_may_be_nothing_to_work_out() -> None:
    assert Expressions([]).values(exchange()) == []


NAMES = {
    FactType.STRING: ["request.model", "account.plan", "client.user_agent", "prompt.frame"],
    FactType.INT: ["request.n", "request.turns", "history.requests", "usage.input_tokens"],
    FactType.DOUBLE: ["request.temperature", "usage.cost"],
    FactType.BOOL: ["request.stream", "history.fresh", 'prompt.matches("fishing")'],
    FactType.STRINGS: ["account.tags"],
    FactType.MAP: ["account.attributes"],
}
LITERALS = {
    FactType.STRING: ['""', '"a"', '"small"', '"é😀"', "'a.*'"],
    FactType.INT: ["0", "1", "-1", "7", "9223372036854775807", "-9223372036854775808"],
    FactType.DOUBLE: ["0.0", "-1.5", "1e300", "0.1"],
    FactType.BOOL: ["true", "false"],
    FactType.STRINGS: ["[]", '["a", "b"]', "[request.model]"],
    FactType.MAP: ['{"a": "b"}'],
}
SHAPES = {
    FactType.STRING: [
        ("({} + {})", (FactType.STRING, FactType.STRING)),
        ("({} ? {} : {})", (FactType.BOOL, FactType.STRING, FactType.STRING)),
        ("{}[{}]", (FactType.MAP, FactType.STRING)),
        ("account.attributes.a", ()),
    ],
    FactType.INT: [
        *[(f"({{}} {sign} {{}})", (FactType.INT, FactType.INT)) for sign in "+-*/%"],
        ("-({})", (FactType.INT,)),
        ("size({})", (FactType.STRING,)),
        ("({}).size()", (FactType.STRINGS,)),
        ("size({})", (FactType.MAP,)),
        ("({} ? {} : {})", (FactType.BOOL, FactType.INT, FactType.INT)),
        ("int({})", (FactType.DOUBLE,)),
    ],
    FactType.DOUBLE: [
        *[(f"({{}} {sign} {{}})", (FactType.DOUBLE, FactType.DOUBLE)) for sign in "+-*/"],
        ("-({})", (FactType.DOUBLE,)),
        ("double({})", (FactType.INT,)),
    ],
    FactType.BOOL: [
        *[
            (f"({{}} {sign} {{}})", (of, of))
            for sign in ("<", "<=", ">", ">=", "==", "!=")
            for of in (FactType.INT, FactType.DOUBLE, FactType.STRING)
        ],
        ("({} && {})", (FactType.BOOL, FactType.BOOL)),
        ("({} || {})", (FactType.BOOL, FactType.BOOL)),
        ("!({})", (FactType.BOOL,)),
        ("({} == {})", (FactType.BOOL, FactType.BOOL)),
        ("({} == {})", (FactType.STRINGS, FactType.STRINGS)),
        ("({} in {})", (FactType.STRING, FactType.STRINGS)),
        ("({} in {})", (FactType.STRING, FactType.MAP)),
        ('({} in ["a", "small"])', (FactType.STRING,)),
        ("({} in [0, 1, request.n])", (FactType.INT,)),
        ("({}).startsWith({})", (FactType.STRING, FactType.STRING)),
        ("({}).endsWith({})", (FactType.STRING, FactType.STRING)),
        ("({}).contains({})", (FactType.STRING, FactType.STRING)),
        ('({}).matches("a+|[é]")', (FactType.STRING,)),
        ("has(account.attributes.a)", ()),
        ("account.tags.exists(t, t == {})", (FactType.STRING,)),
    ],
    FactType.STRINGS: [],
    FactType.MAP: [],
}  # fmt: skip


@st.composite
def texts(draw: st.DrawFn, of: FactType, depth: int = 3) -> str:
    shapes = SHAPES[of] if depth else []
    kind = draw(st.integers(0, 9))
    if shapes and kind > 3:
        pattern, wanted = draw(st.sampled_from(shapes))
        return pattern.format(*[draw(texts(each, depth - 1)) for each in wanted])
    return draw(st.sampled_from(NAMES[of] if kind > 0 else LITERALS[of]))


WORDS = st.sampled_from(["", "a", "b", "small", "aé😀", "free"])
"""Without NUL: CEL's binding cuts a text there."""
WHOLE = st.sampled_from([0, 1, 2, -1, 7, 2**31, 2**63 - 1, -(2**63)])
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 0.1, 1e308, float("inf"), float("nan")])
EXCHANGES = st.builds(
    exchange,
    st.dictionaries(st.sampled_from(["a", "b", "tags"]), WORDS, max_size=3),
    user_agent=st.none() | WORDS,
    past=st.builds(History, requests=WHOLE, fresh=st.booleans()),
    lists=st.sampled_from([(), ("fishing",), LISTS]),
    model=WORDS,
    choices=WHOLE,
    turns=WHOLE,
    temperature=NUMBERS,
    stream=st.booleans(),
)


def asked_of_cel(text: str, of: Facts) -> object:
    """By an environment of our own; None for an error."""
    matches = cel.Overload(
        "m", cel.Type.BOOL, [cel.Type.STRING], is_member=False, impl=of.prompt.lists.__contains__
    )
    declared = [cel.FunctionDecl("prompt.matches", [matches])]
    compiled = cel.NewEnv(variables=VARIABLES, functions=declared).compile(text)
    data = {fact.name: fact.value(of) for fact in expression(text).facts}
    found = compiled.eval(data=data)
    return None if found.type() == cel.Type.ERROR else found.plain_value()


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(list(SHAPES)).flatmap(texts), min_size=1, max_size=4), EXCHANGES)
def test_python_and_cel_agree(written: list[str], of: Facts) -> None:
    sound = [text for text in written if _is_sound(text)]
    assume(sound)
    found = Expressions(sound).values(of)
    expected = [asked_of_cel(text, of) for text in sound]
    assert [*map(exactly, found)] == [*map(exactly, expected)], sound


def exactly(value: object) -> str:
    """Tells 1 from 1.0 and from true, and 0.0 from -0.0; what is not a number equals itself."""
    return repr(sorted(value.items()) if isinstance(value, dict) else value)


def _is_sound(text: str) -> bool:
    try:
        expression(text)
    except ConditionFaults:
        return False
    return True


@pytest.mark.parametrize("name", ALL_FACTS)
def test_every_fact_can_be_an_expression(name: str) -> None:
    of = exchange({"payment": "pm_1"})
    assert one(name, of) == ALL_FACTS[name].value(of)


MEASURED = {"accounts": 30, "young": 0.75, "turns": 0.0}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("accounts >= 25 && young >= 0.7", True),
        ("accounts > 30 || young > 1", False),
        ("accounts / 4 == 7.5", True),
        ("accounts == 30", True),
        ("30 == accounts && !(young < 0.5)", True),
        ("accounts - young * 10 > 22", True),
        ("accounts / turns > 1000", True),
        ("turns / turns == 0 || turns / turns == 1", False),
        ("turns / turns != 1", True),
        ("accounts in [10, 30]", True),
        ("int(young) == int(turns)", True),
        ("young >= 0.7 ? accounts > 29 : accounts > 99", True),
        ("-accounts < 0", True),
        ("int(1e300 * accounts) == int(turns)", False),
    ],
)
def test_a_condition_over_measures_holds_or_does_not(text: str, holds: bool) -> None:
    assert MeasureCondition(text, MEASURED).holds(MEASURED) is holds


@given(
    st.sampled_from(["accounts", "young", "12", "0.5", "-3"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.sampled_from(["young", "turns", "0", "1e9", "accounts * 2 / turns"]),
    st.fixed_dictionaries({name: st.floats() | st.integers(-9, 9) for name in MEASURED}),
)
def test_python_and_cel_agree_about_measures(
    left: str, sign: str, right: str, measured: dict[str, float]
) -> None:
    text = f"{left} {sign} {right}"
    condition = MeasureCondition(text, MEASURED)
    in_cel = MeasureCondition(text, MEASURED)
    in_cel._holds = None
    assert condition.holds(measured) is in_cel.holds(measured)


def test_only_measures_that_are_needed_are_asked_for() -> None:
    asked: list[str] = []

    class Measured(dict[str, float]):
        def __getitem__(self, name: str) -> float:
            asked.append(name)
            return super().__getitem__(name)

    assert not MeasureCondition("accounts > 30 && young > 0", MEASURED).holds(Measured(MEASURED))
    assert asked == ["accounts"]

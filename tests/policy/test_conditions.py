from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.catalog import Facts
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.policy.conditions import LISTED, Answers, Conditions
from gateway.policy.predicate import condition
from gateway.policy.remembered import REMEMBERED
from tests.parts.values import facts

FRONTIER = 'request.model.startsWith("frontier-")'
FREE = 'account.plan == "free"'
WIDE = "request.n > 2"
LONG = "request.max_tokens > 1000"
EU = 'account.attributes["region"] == "eu"'
TAGGED = '"beta" in account.tags'


def asked(
    model: str = "small",
    *,
    n: int = 1,
    max_tokens: int | None = None,
    plan: str | None = None,
    **attributes: str,
) -> Facts:
    account = Account("a", plan=plan, attributes=attributes)
    ask = Ask(model, choices=n, max_output_tokens=max_tokens)
    return replace(facts(), principal=Principal(account), ask=ask)


def conditions(*texts: str) -> Conditions:
    return Conditions(condition(text) for text in texts)


def test_those_hold_that_are_true() -> None:
    every = conditions(FRONTIER, FREE, WIDE, LONG, TAGGED)
    assert every.asked(asked()).holding == set()
    assert every.asked(asked("frontier-1", n=3)).holding == {FRONTIER, WIDE}
    assert every.asked(asked(plan="free", tags="beta", max_tokens=1001)).holding == {
        FREE,
        LONG,
        TAGGED,
    }
    assert every.asked(asked()).failed == ()


def test_without_conditions_none_holds() -> None:
    assert conditions().asked(asked()).holding == set()


def test_a_condition_that_fails_holds_and_is_told() -> None:
    every = conditions(FRONTIER, WIDE, EU, TAGGED)
    assert every.asked(asked(n=3)) == Answers(frozenset({WIDE, EU}), (EU,))
    assert every.asked(asked(region="us")) == Answers(frozenset(), ())
    assert every.asked(asked(region="eu")) == Answers(frozenset({EU}), ())


def test_a_failure_among_slow_facts_is_told_each_time() -> None:
    text = "10 / account.age_days > 3"
    every = conditions(text)
    for _ in range(3):
        assert every.asked(asked()) == Answers(frozenset({text}), (text,))


def test_a_value_that_cel_cannot_take_over_makes_its_conditions_hold() -> None:
    every = conditions(FRONTIER, TAGGED, "request.n > 1 && request.model == 'a'")
    half_a_character = asked("\ud800", n=2)
    holding, failed = every.asked(half_a_character)
    assert holding == {FRONTIER, "request.n > 1 && request.model == 'a'"}
    assert set(failed) == holding


def test_slow_facts_are_evaluated_once_for_each_combination() -> None:
    every = conditions(FRONTIER, FREE, f"{FRONTIER} && {FREE}")
    for _ in range(3):
        for model in ("frontier-1", "small"):
            for plan in ("free", "pro"):
                every.asked(asked(model, plan=plan))
    assert sorted(len(remembered) for _, remembered in every._remembered) == [2, 2, 4]


def test_what_callers_make_up_is_not_remembered_for_ever() -> None:
    every = conditions(FRONTIER)
    for number in range(REMEMBERED + 10):
        every.asked(asked(f"m{number}"))
    ((_, remembered),) = every._remembered
    assert len(remembered) == REMEMBERED


def test_one_condition_of_several_quotas_is_asked_once() -> None:
    every = conditions(WIDE, WIDE, FREE, FREE)
    assert every.asked(asked(n=3, plan="free")).holding == {WIDE, FREE}
    assert [len(one._texts) for one in every._each_time] == [1]


def test_any_number_of_conditions_is_asked_in_lists() -> None:
    texts = [f"request.n > {number}" for number in range(3 * LISTED + 1)]
    every = conditions(*texts)
    assert every.asked(asked(n=50)).holding == set(texts[:50])
    assert len(every._each_time) == 4
    assert all(one._together is not None for one in every._each_time)


def test_a_condition_too_deep_for_a_list_is_asked_alone() -> None:
    deep = "(" * 12 + "request.n > 2" + ")" * 12
    every = conditions(deep, WIDE)
    every._each_time[0]._together = None
    assert every.asked(asked(n=3)).holding == {deep, WIDE}
    assert every.asked(asked()).holding == set()


def test_a_comment_at_the_end_of_a_condition_does_not_hide_the_next() -> None:
    commented = "request.n > 2 // many"
    every = conditions(commented, LONG)
    assert every._each_time[0]._together is not None
    assert every.asked(asked(max_tokens=5000)).holding == {LONG}


CHOICES = st.sampled_from([FRONTIER, FREE, WIDE, LONG, EU, TAGGED, "10 / request.n > 4"])


@given(
    st.lists(CHOICES, max_size=8),
    st.sampled_from(["small", "frontier-1", ""]),
    st.integers(0, 4),
    st.sampled_from(["free", "pro", None]),
    st.sampled_from([{}, {"region": "eu"}, {"region": "us", "tags": "beta"}]),
)
def test_asked_together_they_answer_as_each_alone(
    texts: list[str], model: str, n: int, plan: str | None, known: dict[str, str]
) -> None:
    of = asked(model, n=n, plan=plan, max_tokens=None, **known)
    together = conditions(*texts)
    alone = {text for text in texts if conditions(text).asked(of).holding}
    for _ in range(2):
        assert together.asked(of).holding == alone

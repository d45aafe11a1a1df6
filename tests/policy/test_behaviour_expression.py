"""CEL over one exchange and over measures: sound, or located faults."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts.behaviour_facts import ALL_FACTS
from gateway.policy.behaviour_expression import (
    exchange_condition,
    expression,
    measure_condition,
)
from gateway.policy.predicate import ConditionFaults

NAMES = ("accounts", "young")


def test_an_expression_knows_its_facts_its_lists_and_when_it_is_known() -> None:
    found = expression('prompt.matches("a") && request.n > usage.input_tokens || request.n == 1')
    assert [fact.name for fact in found.facts] == ["request.n", "usage.input_tokens"]
    assert [(one.id, one.offset) for one in found.lists] == [("a", 15)]
    assert found.after_answer
    assert not expression("request.n").after_answer


@pytest.mark.parametrize("name", ALL_FACTS)
def test_every_fact_can_be_named(name: str) -> None:
    assert [fact.name for fact in expression(name).facts] == [name]


def test_a_condition_may_name_a_list_alone() -> None:
    assert exchange_condition('prompt.matches("a")').facts == ()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("request.modle", "request.modle", 'Did you mean "request.model"?'),
        ("prompt.sketch == 1", "prompt.sketch", '"prompt.sketch" is not a fact. Allowed: prompt.f'),
        ("history.frehs", "history.frehs", 'Did you mean "history.fresh"?'),
        ("promt.frame", "promt.frame", 'Did you mean "prompt.frame"?'),
        (
            "accounts",
            "accounts",
            "Facts begin with account, client, request, prompt, hist",
        ),
        ("prompt.matches(5)", "(5)", '"prompt.matches()" cannot be applied to'),
        ("prompt.matches(request.model)", ".model", "takes the id of a list in quotes"),
        ("1 == 1", "1 == 1", "This names no fact"),
        ('request.model.matches("(")', '"("', "is not a pattern"),
        ("x" * 2001, "xxx", "This has 2,001 characters. Write at most 2,000."),
    ],
)
def test_what_is_no_expression_is_refused_where_it_is_wrong(
    text: str, place: str, words: str
) -> None:
    with pytest.raises(ConditionFaults) as refused:
        expression(text)
    ((at, message),) = refused.value.faults
    assert text[at:].startswith(place)
    assert words in message


def test_a_condition_is_known_when_a_request_comes() -> None:
    with pytest.raises(ConditionFaults) as refused:
        exchange_condition("request.stream && usage.cost > 1.0 || usage.output_tokens > 5")
    assert [at for at, _ in refused.value.faults] == [18, 38]
    with pytest.raises(ConditionFaults, match="true or false; this one gives a whole number"):
        exchange_condition("request.n")


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("accounts >= 25 && young > .5", "accounts >= 25.0 && young > .5"),
        ("-3<accounts", "-3.0<accounts"),
        ("accounts > 1e3", "accounts > 1e3"),
        ("accounts > 25 // 25 or so", "accounts > 25.0 // 25 or so"),
        ('"5" == "5" && accounts > 5', '"5" == "5" && accounts > 5.0'),
    ],
)
def test_numbers_of_measures_have_decimals(text: str, decimal: str) -> None:
    found = measure_condition(text, NAMES)
    assert found.decimal == decimal
    assert found.text == text
    assert set(found.named) <= set(NAMES)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("100 > 10 && 1 < yong", "yong", 'Did you mean "young"?'),
        ("100 + 100", "100", "this gives a number"),
        ("12 > 5 && 7", "&& 7", '"&&" cannot be applied to true or false and a number'),
        ("1 > 0 && accounts >", "", "ends too early"),
        ('accounts > "5"', '> "5"', "cannot be applied"),
        ("accounts.young > 5", ".young", "CEL says"),
    ],
)
def test_what_is_no_condition_over_measures_is_refused_where_it_is_wrong(
    text: str, place: str, words: str
) -> None:
    with pytest.raises(ConditionFaults) as refused:
        measure_condition(text, NAMES)
    at, message = refused.value.faults[0]
    assert text[at:].startswith(place)
    assert words in message


WORDS = st.sampled_from(
    [
        *(
            "accounts",
            "young",
            "yong",
            "12",
            "0.5",
            "1e9",
            "5u",
            "==",
            "<",
            "&&",
            "||",
            "!",
            "(",
            ")",
        ),
        *(" ", "\n", "//", '"', "'", "\\", "in", "[", "]", ".", "?", ":", "é", "\ud800", "and"),
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.lists(WORDS, max_size=16).map("".join)))
def test_any_text_is_sound_or_has_located_faults(text: str) -> None:
    said: list[tuple[int, str]] = []
    try:
        found = measure_condition(text, NAMES)
    except ConditionFaults as refused:
        said += refused.faults
    else:
        assert set(found.named) <= set(NAMES)
        said.append((0, "sound"))
    assert said
    assert all(0 <= at <= len(text) and message for at, message in said)

from dataclasses import fields, replace

import pytest

from gateway.facts.behaviour_facts import (
    ALL_FACTS,
    BEHAVIOUR_FACTS,
    GROUP_NAMES,
    HISTORY,
    MATCHED,
    ONLY_BEHAVIOURS,
)
from gateway.facts.catalog import CATALOG, Facts, FactType
from gateway.facts.history import UNSEEN, History
from gateway.facts.prompt_traits import PromptTraits, Rest
from gateway.facts.usage import Usage
from tests.parts.values import facts

TYPES = {
    FactType.STRING: str,
    FactType.INT: int,
    FactType.DOUBLE: float,
    FactType.BOOL: bool,
}


def known() -> Facts:
    return replace(
        facts(),
        prompt=PromptTraits(frames=("f1", "f2"), system="s", rest=Rest(lists=("fishing",))),
        history=History(requests=7, fresh=False),
        usage=Usage(output_tokens=5),
        cost_usd=0.25,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt.frame", "f1"),
        ("prompt.system", "s"),
        ("prompt.toolset", ""),
        ("history.requests", 7),
        ("history.fresh", False),
        ("usage.output_tokens", 5),
        ("usage.input_tokens", 0),
        ("usage.cost", 0.25),
    ],
)
def test_a_fact_is_read_or_has_the_value_of_a_missing_one(name: str, value: object) -> None:
    assert ALL_FACTS[name].value(known()) == value


@pytest.mark.parametrize("name", BEHAVIOUR_FACTS)
def test_a_fact_always_has_a_value_of_its_type_and_a_meaning(name: str) -> None:
    fact = ALL_FACTS[name]
    assert type(fact.value(facts())) is TYPES[fact.type]
    assert fact.meaning.endswith(".")
    assert name.partition(".")[0] in ONLY_BEHAVIOURS
    assert name not in CATALOG


def test_all_of_the_past_is_told() -> None:
    told = [name.partition(".")[2] for name in BEHAVIOUR_FACTS if name.startswith(HISTORY)]
    assert told == [field.name for field in fields(UNSEEN)]


def test_the_lists_that_a_prompt_matches_are_no_fact_of_their_own() -> None:
    assert MATCHED.name not in ALL_FACTS
    assert MATCHED.value(known()) == ("fishing",)


@pytest.mark.parametrize("short", ["account", "payment", "sdk", "signup_hour", "frame", "toolset"])
def test_what_members_share_has_a_short_and_a_full_name(short: str) -> None:
    name = GROUP_NAMES[short]
    assert GROUP_NAMES[name] == name
    assert name in ALL_FACTS

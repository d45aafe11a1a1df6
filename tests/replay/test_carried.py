from dataclasses import fields, replace
from types import MappingProxyType

import msgspec
import pytest

from gateway.facts.catalog import CATALOG, Facts
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.facts.prompt_traits import PromptTraits, Rest, Sketch
from gateway.replay.carried import CarriedFacts, carried, record_attributes
from gateway.replay.principals import Principals
from tests.parts.values import CHAT, facts

FULL = Ask(
    model="small",
    stream=True,
    input_tokens=77,
    max_output_tokens=5,
    choices=2,
    end_user="anna",
    session="s",
    wants_usage_chunk=True,
    temperature=0.5,
    logprobs=True,
    reasoning=True,
    tools=3,
    images=1,
    turns=4,
    tool_results=2,
)


def full() -> Facts:
    account = Account("acct_1", "pro", "org", MappingProxyType({"payment": "pm", "tags": "a b"}), 9)
    asked = Facts(Principal(account, "2001:db8::1"), CHAT, "openai", FULL, at_us=1_780_000)
    return replace(asked, user_agent="OpenAI/Python 2.1.0")


def back(of: Facts) -> Facts:
    read = CarriedFacts(msgspec.json.encode(carried(of, None)))
    principal = Principals().of(of.principal.account.id, dict(record_attributes(of.principal)))
    if read.attributes is not None:
        principal = replace(
            principal, account=replace(principal.account, attributes=read.attributes)
        )
    return read.facts(principal, of.route)


def test_what_was_kept_of_a_prompt_comes_back() -> None:
    rest = Rest("t", "b", "e", 7, Sketch((1, 9), (0.6, 0.8)), ("list",))
    traits = PromptTraits(
        frames=("f", "g"), system="s", toolset="u", single=True, later=lambda: rest
    )
    again = back(replace(facts(), prompt=traits)).prompt
    assert [getattr(again, name) for name in ("frames", "system", "toolset", "single", "rest")] == [
        ("f", "g"),
        "s",
        "u",
        True,
        rest,
    ]


@pytest.mark.parametrize("of", [facts(), full()], ids=["few", "full"])
def test_facts_come_back_as_they_were(of: Facts) -> None:
    assert back(of) == of
    assert {name: fact.value(back(of)) for name, fact in CATALOG.items()} == {
        name: fact.value(of) for name, fact in CATALOG.items()
    }


def test_every_field_of_an_ask_is_tried_above() -> None:
    plain = Ask(None)
    untried = [f.name for f in fields(Ask) if getattr(FULL, f.name) == getattr(plain, f.name)]
    assert not untried


def test_what_has_its_default_is_not_written() -> None:
    assert carried(facts(), None) == {
        "route": "chat",
        "dialect": "openai",
        "ask": {"model": "small", "input_tokens": 10, "max_output_tokens": 100},
    }


@pytest.mark.parametrize(
    "attributes",
    [{"plan": "not the plan"}, {"address": "x", "payment": "pm"}, {"empty": ""}],
)
def test_attributes_that_a_record_would_mistake_come_back_too(attributes: dict[str, str]) -> None:
    account = Account("acct_1", attributes=MappingProxyType(attributes))
    of = replace(facts(), principal=Principal(account, "192.0.2.1"))
    assert back(of) == of


def test_pseudonyms_take_the_place_of_names_and_of_nothing_else() -> None:
    hidden = carried(full(), lambda text: text.upper())
    assert hidden["ask"] | {"end_user": "anna", "session": "s"} == carried(full(), None)["ask"]
    assert (hidden["ask"]["end_user"], hidden["ask"]["session"]) == ("ANNA", "S")


def test_what_is_no_carried_facts_repeats_nothing_of_it() -> None:
    with pytest.raises(msgspec.DecodeError) as raised:
        CarriedFacts(b'{"route": "chat", "dialect": 5, "ask": {"model": "secret"}}')
    assert "secret" not in str(raised.value)

import random

import pytest

from gateway.facts.catalog import Facts
from gateway.replay.intake import Intake
from gateway.simulation.bodies import CHAT, GEMINI, MESSAGES, RESPONSES, Recorder
from gateway.simulation.draft import Draft, Sender, Turn, user
from tests.simulation.making import model

DIALECTS = (CHAT, MESSAGES, RESPONSES, GEMINI)


def sender(dialect: str) -> Sender:
    return Sender("acct_1", "benign/chat", dialect, "small", {"user-agent": "x"}, {"plan": "free"})


def facts(dialect: str, draft: Draft) -> Facts:
    """As the gateway itself reads it."""
    record = Recorder(random.Random(1)).record(sender(dialect), draft)
    taken = Intake().take(record, record.at_us)
    assert isinstance(taken.asked, Facts), taken.asked
    return taken.asked


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_gateway_understands_every_dialect(dialect: str) -> None:
    turns = (
        Turn("user", "find it"),
        Turn("assistant", "looking", "search"),
        Turn("tool", "found", "search"),
        Turn("assistant", "there"),
        Turn("user", "thanks"),
    )
    ask = facts(dialect, Draft(1.0, turns, 10, "Be brief.", ("search", "read"), 99)).ask
    assert ask.model == "small"
    assert ask.max_output_tokens == 99
    assert ask.tools == 2
    assert ask.tool_results == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_streams_are_asked_for(dialect: str) -> None:
    assert facts(dialect, Draft(1.0, user("hi"), 10, stream=True)).ask.stream


def test_an_answer_is_never_longer_than_its_ceiling() -> None:
    recorder = Recorder(random.Random(1))
    for _ in range(200):
        answer = recorder.record(sender(CHAT), Draft(1.0, user("hi"), 500, ceiling=20)).response
        assert answer.failed or answer.usage is not None
        if answer.usage is not None:
            assert answer.usage.output_tokens == 20


def test_an_exchange_from_elsewhere_leaves_the_account_where_it_is() -> None:
    who = sender(CHAT)
    who.attributes |= {"network": "AS1", "address": "192.0.2.1"}
    draft = Draft(1.0, user("hi"), 5, network="AS2", address="192.0.2.2")
    record = Recorder(random.Random(1)).record(who, draft)
    assert (record.attributes["network"], record.attributes["address"]) == ("AS2", "192.0.2.2")
    assert who.attributes["network"] == "AS1"


def test_after_its_pivot_a_sender_asks_the_new_model() -> None:
    who = sender(CHAT)
    who.pivots_at_s, who.new_model = 10.0, "newer"
    recorder = Recorder(random.Random(1))
    made = [recorder.record(who, Draft(at, user("hi"), 5)) for at in (9.0, 10.0)]
    assert [model(one) for one in made] == ["small", "newer"]

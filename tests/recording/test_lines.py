"""What stands in a recording, and what never does."""

import json
from typing import Any

import pytest

from gateway.decision.hand import Ban, Hand
from gateway.decision.judge import judge
from gateway.decision.outcome import Decision
from gateway.decision.plan import Plan
from gateway.facts.exchange import Ask
from gateway.facts.principal import Account, Principal
from gateway.recording.lines import Decided, Rejected, encode
from gateway.replay.record import decode
from tests.parts.values import CHAT, ESTIMATE, facts

AT_US = 1_780_000_000_123_457


def pseudonym(text: str) -> str:
    return f"p-{len(text)}"


@pytest.fixture
def decision() -> Decision:
    return judge(Plan((), ESTIMATE, "digest"), None, {})


def told(line: Decided | Rejected, *, hidden: bool = True) -> dict[str, Any]:
    written = encode(line, pseudonym if hidden else None)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    decode(written)  # backtest reads it
    read: dict[str, Any] = json.loads(written)
    return read


def with_names() -> Ask:
    return Ask("small", end_user="anna@example.com", session="loop of anna")


def test_a_line_is_a_traffic_record_to_the_microsecond(decision: Decision) -> None:
    line = Decided("req_1", AT_US, facts("acct_7", organization="org_1"), decision)
    read = told(line)
    assert read["account"] == "acct_7"
    assert read["attributes"] == {"organization": "org_1", "address": "192.0.2.1"}
    assert (read["method"], read["path"]) == ("POST", "/v1/chat/completions")
    record = decode(encode(line, None))
    assert record.at_us == AT_US
    assert record.decision is not None
    assert record.decision.verdict == "allow"


def test_names_of_people_are_replaced_unless_requests_are_kept(decision: Decision) -> None:
    named = facts().__class__(facts().principal, CHAT, "openai", with_names())
    line = Decided("req_1", AT_US, named, decision)
    ask = told(line)["facts"]["ask"]
    assert (ask["end_user"], ask["session"]) == ("p-16", "p-12")
    ask = told(line, hidden=False)["facts"]["ask"]
    assert ask["end_user"] == "anna@example.com"


def test_a_body_of_many_lines_stands_in_one(decision: Decision) -> None:
    body = b'{\n  "model": "small",\n  "text": "a\\nb"\n}'
    read = told(Decided("req_1", AT_US, facts(), decision, body=body))
    assert read["body"] == {"model": "small", "text": "a\nb"}


def test_an_operators_hand_stands_where_there_is_one(decision: Decision) -> None:
    assert "hand" not in told(Decided("req_1", AT_US, facts(), decision))
    line = Decided("req_1", AT_US, facts(), decision, Hand(Ban(5, why="fraud")))
    assert decode(encode(line, None)).hand == line.hand


def test_what_no_policy_saw_has_its_kind_and_no_facts() -> None:
    principal = Principal(Account("acct_1", plan="free"))
    read = told(Rejected("req_1", AT_US, principal, "POST", "/v1/chat/completions", "malformed"))
    assert read["rejected"] == "malformed"
    assert "facts" not in read
    assert read["attributes"] == {"plan": "free"}

import json
from typing import Any

import pytest

from gateway.facts.catalog import Facts
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.proxy.intake import take_in
from gateway.proxy.request_headers import read_headers
from gateway.replay.intake import REMEMBERED, Intake, Taken
from gateway.replay.principals import Principals
from tests.replay.passing import read
from tests.replay.traffic_files import record

ANTHROPIC: dict[str, Any] = {
    "path": "/v1/messages",
    "headers": {"Anthropic-Version": "2023-06-01", "User-Agent": "Anthropic/Python 1.0"},
    "body": {
        "model": "claude",
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Grüße!"}]}],
        "metadata": {"user_id": "u_1"},
    },
}


def live_facts(of: dict[str, Any]) -> Facts:
    raw = [(name.lower().encode(), value.encode()) for name, value in of["headers"].items()]
    match = BUILT_IN.find(of["method"], of["path"], raw)
    principal = Principals().of(of["account"], of["attributes"])
    body = json.dumps(of["body"]).encode()
    return take_in(body, match, principal, read_headers(raw), read(of).at_us).facts


def take(of: dict[str, Any]) -> Taken:
    found = read(of)
    return Intake().take(found, found.at_us)


def facts(of: dict[str, Any]) -> Facts:
    asked = take(of).asked
    assert isinstance(asked, Facts)
    return asked


def refusal(of: dict[str, Any]) -> Refusal:
    asked = take(of).asked
    assert isinstance(asked, Refusal)
    return asked


@pytest.mark.parametrize(
    "of",
    [
        record(),
        record(0, **ANTHROPIC),
        record(headers={"user-agent": "x" * 300}),
        record(headers={"user-agent": "caf\u00e9"}),
        record(headers={}),
        record(headers={"X-Session-Id": "run-7"}),
    ],
    ids=["openai", "anthropic", "long agent", "odd agent", "no agent", "session"],
)
def test_a_record_is_read_as_the_live_request_was(of: dict[str, Any]) -> None:
    assert facts(of) == live_facts(of)


def test_the_moment_and_the_client_are_facts() -> None:
    found = facts(record(0.25))
    assert found.at_us == 1_780_000_000_250_000
    assert found.user_agent == "OpenAI/Python 2.1.0"


def test_two_headers_on_one_path_are_two_dialects() -> None:
    intake = Intake()
    spoken = []
    for headers in ({}, {"Anthropic-Version": "2023-06-01"}, {}):
        found = read(record(method="GET", path="/v1/models", headers=headers, body=None))
        spoken.append(intake.take(found, found.at_us).dialect.name)
    assert spoken == ["openai", "anthropic", "openai"]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"path": "/v2/unknown"}, RefusalKind.UNKNOWN_ROUTE),
        ({"method": "DELETE"}, RefusalKind.METHOD_NOT_ALLOWED),
        ({"body": {"messages": []}}, RefusalKind.MALFORMED),
        ({"body": ["no object"]}, RefusalKind.MALFORMED),
        ({"headers": {"x-session-id": "x" * 300}}, RefusalKind.MALFORMED),
        ({"body": None}, RefusalKind.MALFORMED),
    ],
)
def test_what_no_policy_sees_live_no_policy_sees_here(
    changed: dict[str, Any], kind: RefusalKind
) -> None:
    assert refusal(record(**changed)).kind is kind


def test_a_query_is_no_part_of_the_path() -> None:
    assert facts(record(path="/v1/chat/completions?beta=true")).route.name == "chat"


def test_what_is_remembered_of_callers_is_bounded() -> None:
    intake = Intake()
    for at in range(REMEMBERED + 10):
        found = read(record(headers={"x-request-id": str(at)}))
        intake.take(found, found.at_us)
    assert len(intake._addressed) <= REMEMBERED

"""Sessions as clients name them; none of these names identifies anybody."""

import json
import time

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.client_session import HEADERS, UserId, in_field, in_headers, in_user_id

UUID = "54c1eb09-bc4c-4d2f-98eb-6d2ab2d5e2fe"


@pytest.mark.parametrize("name", HEADERS)
def test_each_header_names_a_session(name: bytes) -> None:
    assert in_headers({name: b" run-7 ", b"user-agent": b"x"}) == "run-7"


def test_the_first_that_says_something_counts() -> None:
    assert in_headers({b"x-session-id": b" ", b"session-id": b"a"}) == "a"
    assert in_headers({b"session-id": b"a", b"x-session-id": b"b"}) == "b"
    assert in_headers({b"x-litellm-trace-id": b"t", b"x-claude-code-session-id": b"c"}) == "c"
    assert in_headers({}) is None


@pytest.mark.parametrize("value", [b"x" * 257, "caf\u00e9".encode(), b"a\tb"])
def test_a_header_that_is_no_plain_short_text_is_refused_by_name_and_not_repeated(
    value: bytes,
) -> None:
    with pytest.raises(MalformedRequest) as refused:
        in_headers({b"x-session-id": value})
    assert refused.value.field == "x-session-id"
    assert value.decode(errors="replace") not in refused.value.message
    assert in_headers({b"x-session-id": b"x" * 256}) == "x" * 256


@pytest.mark.parametrize(
    ("value", "session"), [("a", "a"), ("", None), (None, None), ("x" * 256, "x" * 256)]
)
def test_a_field_is_a_text_or_absent(value: object, session: str | None) -> None:
    assert in_field({"session_id": value}, "session_id") == session
    assert in_field({}, "session_id") is None


@pytest.mark.parametrize(
    ("value", "found"),
    [(7, "a number"), (["a"], "an array"), ({}, "an object"), ("x" * 257, "257 characters")],
)
def test_a_field_of_the_wrong_type_or_length_is_refused_where_it_stands(
    value: object, found: str
) -> None:
    with pytest.raises(MalformedRequest) as refused:
        in_field({"session_id": value}, "session_id", within="metadata.")
    assert refused.value.field == "metadata.session_id"
    assert found in refused.value.message


def test_a_coding_agents_user_id_holds_its_session_and_an_end_user_that_outlives_it() -> None:
    user = "user_0123abcd_account_5f1c2d3e"
    assert in_user_id(f"{user}_session_{UUID}") == UserId(user, UUID)
    assert in_user_id(f"{user}__session_{UUID}") == UserId(f"{user}_", UUID)
    parts = {"device_id": "d", "account_uuid": "a"}
    one, other = (
        in_user_id(json.dumps({**parts, "session_id": session})) for session in (UUID, "another")
    )
    assert (one.session, other.session) == (UUID, "another")
    assert one.end_user == other.end_user
    assert json.loads(one.end_user) == parts


@pytest.mark.parametrize(
    "text",
    [
        "u",
        "my_session_tool",
        "user_1_session_2",
        "{",
        '{"session_id": 7}',
        '{"session_id": ""}',
        '{"session_id": "' + "x" * 300 + '"}',
        "user_" + "_account_" * 200 + "_session_" + UUID,
    ],
)
def test_any_other_user_id_is_the_end_user_whole(text: str) -> None:
    assert in_user_id(text) == UserId(text, None)


def test_a_user_id_of_megabytes_is_not_searched() -> None:
    before = time.process_time()
    for text in ("user_" + "_account_" * 500_000, '{"session_id": ' + "[" * 500_000):
        assert in_user_id(text).session is None
    assert time.process_time() - before < 5  # the square of it would take hours

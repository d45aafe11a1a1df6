"""A wrong field is named with what was found and what is allowed, never with its text."""

from collections.abc import Callable

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.dialects import request_fields

Read = Callable[[dict[str, object]], object]


def number(body: dict[str, object]) -> object:
    return request_fields.whole_number(body, "n", least=1, most=128)


def required(body: dict[str, object]) -> object:
    return request_fields.whole_number(body, "max_tokens", least=0, required=True)


def stream(body: dict[str, object]) -> object:
    return request_fields.flag(body, "stream")


def metadata(body: dict[str, object]) -> object:
    return request_fields.mapping(body, "metadata")


def temperature(body: dict[str, object]) -> object:
    return request_fields.number(body, "temperature")


def tools(body: dict[str, object]) -> object:
    return request_fields.length(body, "tools")


def user(body: dict[str, object]) -> object:
    return request_fields.text(body, "user")


@pytest.mark.parametrize(
    ("read", "field", "value", "found", "allowed"),
    [
        (request_fields.model_name, "model", None, "null", "1 to 256 characters"),
        (request_fields.model_name, "model", 7, "a number", "the name of a model"),
        (request_fields.model_name, "model", ["secret"], "an array", "the name of a model"),
        (request_fields.model_name, "model", "", "an empty string", "the name of a model"),
        (request_fields.model_name, "model", " ", "an empty string", "the name of a model"),
        (request_fields.model_name, "model", "s" * 257, "a string of 257 char", "1 to 256"),
        (request_fields.model_name, "model", "secret\n", "with a control", "no control"),
        (request_fields.model_name, "model", "secret\x85", "with a control", "no control"),
        (request_fields.messages, "messages", None, "null", "an array of messages"),
        (request_fields.messages, "messages", "secret", "a string", "an array of messages"),
        (request_fields.messages, "messages", {"secret": 1}, "an object", "an array of messages"),
        (number, "n", 0, "is 0;", "from 1 to 128"),
        (number, "n", 129, "is 129;", "from 1 to 128"),
        (number, "n", -1, "is -1;", "from 1 to 128"),
        (number, "n", True, "a boolean", "a whole number"),
        (number, "n", 1.0, "a fraction", "a whole number"),
        (number, "n", "secret", "a string", "a whole number"),
        (required, "max_tokens", None, "null", "from 0 to 2,147,483,647"),
        (required, "max_tokens", 2**31, "is 2,147,483,648;", "from 0 to 2,147,483,647"),
        (stream, "stream", 1, "a number", "true or false"),
        (stream, "stream", "true", "a string", "true or false"),
        (metadata, "metadata", "secret", "a string", "an object"),
        (metadata, "metadata", [], "an array", "an object"),
        (temperature, "temperature", "secret", "a string", "a number"),
        (temperature, "temperature", True, "a boolean", "a number"),
        (tools, "tools", "secret", "a string", "an array"),
        (tools, "tools", {"secret": 1}, "an object", "an array"),
        (user, "user", 7, "a number", "a string"),
        (user, "user", {"secret": 1}, "an object", "a string"),
    ],
)
def test_a_wrong_field_is_named(
    read: Read, field: str, value: object, found: str, allowed: str
) -> None:
    with pytest.raises(MalformedRequest) as refused:
        read({field: value})
    message = refused.value.message
    assert refused.value.field == field
    assert message.startswith(f'"{field}" is ')
    assert found in message
    assert allowed in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("read", "field"),
    [
        (request_fields.model_name, "model"),
        (request_fields.messages, "messages"),
        (required, "max_tokens"),
    ],
)
def test_a_required_field_that_is_missing_is_called_missing(read: Read, field: str) -> None:
    with pytest.raises(MalformedRequest, match=f'"{field}" is missing; allowed is'):
        read({})


@pytest.mark.parametrize(
    ("read", "field", "absent"),
    [
        (temperature, "temperature", None),
        (tools, "tools", 0),
        (number, "n", None),
        (stream, "stream", False),
        (metadata, "metadata", {}),
        (user, "u", None),
    ],
)
def test_null_counts_as_absent(read: Read, field: str, absent: object) -> None:
    assert read({}) == absent
    assert read({field: None}) == absent


@pytest.mark.parametrize(
    ("read", "body", "value"),
    [
        (request_fields.model_name, {"model": "org/model:7b ä"}, "org/model:7b ä"),
        (request_fields.model_name, {"model": "m" * 256}, "m" * 256),
        (request_fields.messages, {"messages": []}, []),
        (number, {"n": 128}, 128),
        (required, {"max_tokens": 2**31 - 1}, 2**31 - 1),
        (stream, {"stream": True}, True),
        (metadata, {"metadata": {"a": 1}}, {"a": 1}),
        (temperature, {"temperature": 1}, 1.0),
        (temperature, {"temperature": 0.5}, 0.5),
        (tools, {"tools": [1, None]}, 2),
        (user, {"user": "u"}, "u"),
        (user, {"user": ""}, None),
    ],
)
def test_a_right_field_is_read(read: Read, body: dict[str, object], value: object) -> None:
    assert read(body) == value


def test_a_field_inside_another_is_named_with_its_place() -> None:
    with pytest.raises(MalformedRequest, match=r'"metadata\.user_id" is a number'):
        request_fields.text({"user_id": 7}, "user_id", within="metadata.")


@pytest.mark.parametrize("value", [True, 1, 0.5, "low", ["x"], {"effort": "low"}])
def test_what_is_switched_on_is_asked_for_however_it_is_written(value: object) -> None:
    assert request_fields.asked({"b": value}, "a", "b")


@pytest.mark.parametrize("value", [None, False, 0, 0.0, "", "none", [], {}])
def test_what_is_switched_off_is_not_asked_for(value: object) -> None:
    assert not request_fields.asked({"a": value}, "a", "b")


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("Max_Tokens", "max_tokens"),
        ("MODEL", "model"),
        ("N", "n"),
        ("\u017ftream", "stream"),
        ("max_to\u212aens", "max_tokens"),
        ("generationconfig", "generationConfig"),
    ],
)
def test_a_counted_field_in_other_letters_is_refused(key: str, field: str) -> None:
    with pytest.raises(MalformedRequest, match="other letters") as refused:
        request_fields.demand_known_case({"model": "m", key: 1})
    assert refused.value.field == field


def test_both_spellings_and_what_is_not_counted_pass() -> None:
    both = {"generationConfig": {}, "generation_config": {}, "contents": [], "Extra": 1}
    request_fields.demand_known_case(both)

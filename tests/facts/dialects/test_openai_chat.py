"""What an OpenAI request asks for, and what is added to it so that usage is reported."""

from typing import Any

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.dialects.openai_chat import CHAT, OpenAIChat
from gateway.facts.exchange import Ask

OPENAI = OpenAIChat()
MESSAGES = [{"role": "user", "content": "sixteen letters."}]


def ask(**fields: Any) -> Ask:
    return OPENAI.read_ask(CHAT, {"model": "m", "messages": MESSAGES, **fields}, 100)


def amended(**fields: Any) -> Any:
    body = {"model": "m", "messages": MESSAGES, **fields}
    return OPENAI.amend(CHAT, body, OPENAI.read_ask(CHAT, body, 100))


def test_the_least_request_is_read() -> None:
    assert ask() == Ask(model="m", input_tokens=8, turns=1)


def test_everything_that_gauger_reads_is_read() -> None:
    assert ask(
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=50,
        n=3,
        user="u",
        temperature=0.5,
        of_a_server_to_come={"x": 1},
    ) == Ask(
        model="m",
        stream=True,
        input_tokens=8,
        max_output_tokens=50,
        choices=3,
        end_user="u",
        wants_usage_chunk=True,
        temperature=0.5,
        turns=1,
    )


def test_tools_and_functions_are_part_of_the_input() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert ask(tools=tools).input_tokens > ask().input_tokens + 15
    assert ask(functions=tools).input_tokens == ask(tools=tools).input_tokens


@pytest.mark.parametrize(
    ("fields", "ceiling"),
    [
        ({}, None),
        ({"max_tokens": None}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 9}, 9),
        ({"max_tokens": 9, "max_completion_tokens": 5}, 9),
        ({"max_tokens": 5, "max_completion_tokens": None}, 5),
        ({"max_tokens": 5, "n_predict": 9}, 9),
        ({"max_tokens": 9, "n_predict": 0}, 9),
        ({"max_tokens": 5, "n_predict": -1}, None),
        ({"max_tokens": 2**31 - 1}, 2**31 - 1),
    ],
)
def test_the_largest_ceiling_counts(fields: dict[str, Any], ceiling: int | None) -> None:
    assert ask(**fields).max_output_tokens == ceiling


@pytest.mark.parametrize(
    ("fields", "choices"), [({}, 1), ({"n": 128}, 128), ({"n": 1, "n_cmpl": 4}, 4)]
)
def test_the_larger_number_of_choices_counts(fields: dict[str, Any], choices: int) -> None:
    assert ask(**fields).choices == choices


@pytest.mark.parametrize(
    ("fields", "end_user"),
    [
        ({"user": "a", "safety_identifier": "b"}, "a"),
        ({"user": "", "safety_identifier": "b"}, "b"),
        ({"user": None}, None),
    ],
)
def test_the_end_user_is_named_by_either_field(fields: dict[str, Any], end_user: str) -> None:
    assert ask(**fields).end_user == end_user


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("model", ""),
        ("messages", "secret"),
        ("messages", None),
        ("stream", "true"),
        ("stream", 1),
        ("stream_options", []),
        ("max_tokens", 0),
        ("max_tokens", -1),
        ("max_tokens", True),
        ("max_tokens", 1.5),
        ("max_tokens", 2**31),
        ("max_completion_tokens", "100"),
        ("max_completion_tokens", 0),
        ("n_predict", -3),
        ("n_predict", "secret"),
        ("n", 0),
        ("n", 129),
        ("n", True),
        ("n_cmpl", 129),
        ("user", 7),
        ("temperature", "secret"),
        ("temperature", True),
        ("tools", {"secret": 1}),
        ("functions", "secret"),
        ("safety_identifier", []),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_wrong_field_is_refused_by_name(field: str, value: object, stream: bool) -> None:
    with pytest.raises(MalformedRequest) as refused:
        ask(**{"stream": stream, field: value})
    assert refused.value.field == field
    assert "secret" not in refused.value.message


def test_a_wrong_field_inside_another_is_refused_by_its_place() -> None:
    with pytest.raises(MalformedRequest) as refused:
        ask(stream=True, stream_options={"include_usage": "yes"})
    assert refused.value.field == "stream_options.include_usage"


TALK = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]},
    {"role": "assistant", "tool_calls": []},
    {"role": "tool", "content": "b"},
    {"role": "function", "content": "b"},
    {"role": "user", "content": [{"type": "image_url"}]},
    {"role": ["user"]},
    "user",
]


def test_the_shape_of_a_conversation_is_read() -> None:
    asked = ask(messages=TALK, tools=[{}, {}], functions=[{}])
    assert (asked.turns, asked.tool_results, asked.images, asked.tools) == (2, 2, 2, 3)


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({"reasoning_effort": "low"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": None}, False),
        ({"reasoning": {"effort": "high"}}, True),
        ({"reasoning": {}}, False),
        ({"include_reasoning": True}, True),
        ({"include_reasoning": False}, False),
        ({"chat_template_kwargs": {"enable_thinking": True}}, True),
        ({"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({"chat_template_kwargs": 7}, False),
        ({"thinking": {"type": "enabled"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
    ],
)
def test_reasoning_is_known_by_each_of_its_names(fields: dict[str, Any], reasoning: bool) -> None:
    assert ask(**fields).reasoning is reasoning


@pytest.mark.parametrize(
    ("fields", "logprobs"),
    [
        ({"logprobs": True}, True),
        ({"logprobs": False, "top_logprobs": 0}, False),
        ({"top_logprobs": 5}, True),
        ({"n_probs": 1}, True),
    ],
)
def test_log_probabilities_are_known_by_each_of_their_names(
    fields: dict[str, Any], logprobs: bool
) -> None:
    assert ask(**fields).logprobs is logprobs


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (None, {"include_usage": True}),
        ({}, {"include_usage": True}),
        ({"include_usage": False}, {"include_usage": True}),
        ({"include_usage": None}, {"include_usage": True}),
        (
            {"include_obfuscation": False},
            {"include_obfuscation": False, "include_usage": True},
        ),
    ],
)
def test_a_stream_is_asked_for_its_usage(options: object, sent: object) -> None:
    assert amended(stream=True, stream_options=options, odd=1) == {
        "model": "m",
        "messages": MESSAGES,
        "stream": True,
        "odd": 1,
        "stream_options": sent,
    }


def test_the_callers_own_body_is_left_as_it_is() -> None:
    options: dict[str, Any] = {}
    amended(stream=True, stream_options=options)
    assert options == {}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"stream": False},
        {"stream": False, "stream_options": {}},
        {"stream": True, "stream_options": {"include_usage": True}},
    ],
)
def test_where_nothing_is_missing_the_very_bytes_go_on(fields: dict[str, Any]) -> None:
    assert amended(**fields) is None


@pytest.mark.parametrize(
    ("fields", "session"),
    [
        ({"session_id": "a", "litellm_session_id": "b"}, "a"),
        ({"litellm_session_id": "b", "metadata": {"session_id": "c"}}, "b"),
        ({"session_id": "", "metadata": {"session_id": "c", "topic": "d"}}, "c"),
        ({"metadata": None, "prompt_cache_key": "e"}, None),
    ],
)
def test_a_session_is_named_by_one_of_three_fields(
    fields: dict[str, Any], session: str | None
) -> None:
    assert ask(**fields).session == session


@pytest.mark.parametrize("fields", [{"session_id": 7}, {"metadata": {"session_id": []}}])
def test_a_session_of_the_wrong_type_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedRequest, match="session_id"):
        ask(**fields)

"""What is asked, in whichever dialect, and nothing that breaks on odd bodies."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.prompt_text import HEAD_CHARACTERS, TAIL_CHARACTERS, prompt_text

WEATHER = {"name": "weather", "input_schema": {}}
CALC = {"type": "function", "function": {"name": "calc", "parameters": {}}}

BODIES: Mapping[str, Mapping[str, Any]] = {
    "openai chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Why is the sky blue?"},
        ]
    },
    "openai chat in parts": {
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"type": "text", "text": "Why is the sky blue?"},
                ],
            },
        ]
    },
    "anthropic": {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    },
    "responses": {"instructions": "Be brief.", "input": "Why is the sky blue?"},
    "responses in items": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Why is the sky blue?"}]}
        ],
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Why is the sky blue?"}]}],
    },
}


@pytest.mark.parametrize("dialect", BODIES)
def test_the_same_question_reads_the_same_in_every_dialect(dialect: str) -> None:
    text = prompt_text(BODIES[dialect])
    assert text is not None
    assert (text.asked, text.system, text.tools, text.single) == (
        "Why is the sky blue?",
        "Be brief.",
        "",
        True,
    )


@pytest.mark.parametrize(
    "tools",
    [
        {"tools": [WEATHER, CALC]},
        {"tools": [CALC, WEATHER]},
        {"tools": [{"functionDeclarations": [{"name": "weather"}, {"name": "calc"}]}]},
    ],
)
def test_a_toolset_is_the_names_of_its_tools_in_no_order(tools: Mapping[str, Any]) -> None:
    text = prompt_text({"messages": [{"role": "user", "content": "hi"}], **tools})
    assert text is not None
    assert text.tools == "calc\nweather"
    assert not text.single


def test_of_a_conversation_the_last_turn_of_the_user_counts() -> None:
    text = prompt_text(
        {
            "messages": [
                {"role": "user", "content": "first"},
                {"role": "assistant", "content": "answer"},
                {"role": "user", "content": "second"},
            ]
        }
    )
    assert text is not None
    assert text.asked == "second"
    assert not text.single


@pytest.mark.parametrize(
    "result",
    [
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "42"}]}]},
        {"messages": [{"role": "tool", "content": "42"}]},
        {"contents": [{"role": "user", "parts": [{"functionResponse": {"response": {}}}]}]},
        {"input": [{"type": "function_call_output", "output": "42"}]},
    ],
)
def test_what_a_tool_gave_back_is_nothing_that_a_user_asks(result: Mapping[str, Any]) -> None:
    text = prompt_text(result)
    assert text is not None
    assert text.asked == ""
    assert not text.single


def test_of_a_long_text_head_and_tail_are_looked_at() -> None:
    text = prompt_text({"prompt": "a" * 5_000_000 + "z" * 5_000})
    assert text is not None
    assert len(text.asked) == HEAD_CHARACTERS + TAIL_CHARACTERS + 1
    assert text.asked.endswith("z" * TAIL_CHARACTERS)


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": 7}, {"model": "m"}])
def test_without_a_conversation_there_is_nothing(body: Mapping[str, Any]) -> None:
    assert prompt_text(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "parts", "text", "type", "tools", "function", "name"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["messages", "input", "contents", "prompt", "system", "tools"]), JSON
    )
)
def test_no_body_breaks_it(body: dict[str, Any]) -> None:
    prompt_text(body)


def test_a_text_that_is_held_is_not_shown() -> None:
    assert "blue" not in repr(prompt_text(BODIES["openai chat"]))

"""Less is asked for, in whichever dialect, and the dialect reads it so."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.facts.dialects.degraded import LOGPROBS, REASONING, degraded
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.exchange import Ask

BOTH = frozenset({LOGPROBS, REASONING})
SAID = [{"role": "user", "content": "hi"}]
GEMINI = "/v1beta/models/m:generateContent"

CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "chat": (
        "/v1/chat/completions",
        {"messages": SAID, "max_tokens": 9_000, "n": 4, "logprobs": True, "top_logprobs": 3},
    ),
    "chat, newer": (
        "/v1/chat/completions",
        {"messages": SAID, "max_completion_tokens": 9_000, "reasoning_effort": "high"},
    ),
    "chat, a template's": (
        "/v1/chat/completions",
        {"messages": SAID, "chat_template_kwargs": {"enable_thinking": True, "other": 1}},
    ),
    "completions": ("/v1/completions", {"prompt": "hi", "best_of": 3, "n": 3, "logprobs": 2}),
    "responses": (
        "/v1/responses",
        {
            "input": "hi",
            "max_output_tokens": 9_000,
            "reasoning": {"effort": "high"},
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs", "x"],
        },
    ),
    "messages": (
        "/v1/messages",
        {
            "messages": SAID,
            "max_tokens": 9_000,
            "thinking": {"type": "enabled", "budget_tokens": 4_000},
        },
    ),
    "gemini": (
        GEMINI,
        {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "generationConfig": {
                "maxOutputTokens": 9_000,
                "candidateCount": 3,
                "responseLogprobs": True,
                "thinkingConfig": {"includeThoughts": True},
            },
        },
    ),
    "gemini, nothing declared": (GEMINI, {"contents": [{"parts": [{"text": "hi"}]}]}),
}


def read(path: str, body: Mapping[str, Any]) -> tuple[str, Ask]:
    match = BUILT_IN.find("POST", path, [])
    return str(match.route.name), match.dialect.read_ask(match.route, body, 0, match.path_model)


@pytest.mark.parametrize("case", CASES)
def test_the_dialect_reads_the_lowered_body_as_the_ask_that_goes_with_it(case: str) -> None:
    path, written = CASES[case]
    body = written if path == GEMINI else {"model": "m", **written}
    route, ask = read(path, body)
    lowered, less = degraded(route, body, ask, max_tokens=512, choices=1, strip=BOTH)
    _, again = read(path, lowered)
    assert (again.max_output_tokens, again.choices) == (512, 1)
    assert not again.logprobs
    assert not again.reasoning
    assert (less.max_output_tokens, less.choices, less.logprobs, less.reasoning) == (
        512,
        1,
        False,
        False,
    )


@pytest.mark.parametrize("case", CASES)
def test_what_was_read_stays_as_it_was(case: str) -> None:
    path, written = CASES[case]
    body = written if path == GEMINI else {"model": "m", **written}
    before = repr(body)
    route, ask = read(path, body)
    degraded(route, body, ask, max_tokens=512, choices=1, strip=BOTH)
    assert repr(body) == before


def test_what_asks_for_less_already_is_not_raised() -> None:
    body = {"model": "m", "messages": SAID, "max_tokens": 5}
    route, ask = read("/v1/chat/completions", body)
    lowered, less = degraded(route, body, ask, max_tokens=512, choices=4)
    assert lowered == body
    assert (less.max_output_tokens, less.choices) == (5, 1)


def test_nothing_else_is_taken_out() -> None:
    path, written = CASES["responses"]
    body = {"model": "m", **written}
    route, ask = read(path, body)
    lowered, _ = degraded(route, body, ask, strip=BOTH)
    assert lowered["include"] == ["x"]
    assert lowered["max_output_tokens"] == 9_000

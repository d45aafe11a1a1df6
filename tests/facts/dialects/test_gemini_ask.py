"""What a request in Gemini's dialect asks for, in either spelling."""

from typing import Any

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.dialects.gemini import COUNT_TOKENS, GENERATE, MODEL, MODELS, STREAM, Gemini
from gateway.facts.exchange import Ask, Route, RouteName

GEMINI = Gemini()
CONTENTS = [{"role": "user", "parts": [{"text": "sixteen letters."}]}]


def ask(route: Route = GENERATE, path_model: str | None = "m", **body: Any) -> Ask:
    return GEMINI.read_ask(route, {"contents": CONTENTS, **body}, 100, path_model)


def test_the_least_request_is_read() -> None:
    assert ask() == Ask(model="m", input_tokens=8, turns=1)


def test_a_stream_is_another_path() -> None:
    assert ask(STREAM) == Ask(model="m", stream=True, input_tokens=8, turns=1)


EVERYTHING = {
    "systemInstruction": {"parts": [{"text": "four"}]},
    "tools": [{"functionDeclarations": [{"name": "f"}]}],
    "generationConfig": {
        "maxOutputTokens": 50,
        "candidateCount": 3,
        "temperature": 1,
        "responseLogprobs": True,
        "logprobs": 2,
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 0},
        "responseSchema": {"type": "OBJECT"},
        "responseMimeType": "application/json",
    },
}
IN_SNAKE_CASE = {
    "system_instruction": {"parts": {"text": "four"}},
    "tools": {"function_declarations": {"name": "f", "x": 1}},
    "generation_config": {
        "max_output_tokens": 50,
        "candidate_count": 3,
        "temperature": 1.0,
        "response_logprobs": True,
        "logprobs": 2,
        "thinking_config": {"include_thoughts": True, "thinking_budget": 0},
        "response_schema": {"type": "OBJECT"},
        "response_mime_type": "application/json",
    },
}


@pytest.mark.parametrize("body", [EVERYTHING, IN_SNAKE_CASE])
def test_everything_that_gauger_reads_is_read_in_both_spellings(body: dict[str, Any]) -> None:
    asked = ask(**body)
    assert asked == Ask(
        model="m",
        input_tokens=asked.input_tokens,
        max_output_tokens=50,
        choices=3,
        temperature=1.0,
        logprobs=True,
        reasoning=True,
        tools=1,
        turns=1,
    )
    assert 8 + 5 < asked.input_tokens < 8 + 5 + 30


@pytest.mark.parametrize(
    ("thinking", "reasoning"),
    [
        ({}, False),
        ({"thinkingBudget": 0}, False),
        ({"includeThoughts": False}, False),
        ({"thinkingBudget": -1}, True),
        ({"thinkingBudget": 100}, True),
        ({"thinkingLevel": "HIGH"}, True),
        ({"includeThoughts": True}, True),
    ],
)
def test_reasoning_is_asked_for_by_a_budget_a_level_or_by_showing_it(
    thinking: dict[str, Any], reasoning: bool
) -> None:
    assert ask(generationConfig={"thinkingConfig": thinking}).reasoning is reasoning


CONFIG = "generationConfig."


@pytest.mark.parametrize(
    ("config", "field", "message"),
    [
        ({"maxOutputTokens": 0}, "maxOutputTokens", "0; allowed is a whole number from 1"),
        ({"maxOutputTokens": -1}, "maxOutputTokens", "-1; allowed"),
        ({"maxOutputTokens": 2**31}, "maxOutputTokens", "2,147,483,648; allowed"),
        ({"maxOutputTokens": "50"}, "maxOutputTokens", "a string; allowed"),
        ({"maxOutputTokens": 5.5}, "maxOutputTokens", "a fraction; allowed"),
        ({"max_output_tokens": True}, "maxOutputTokens", "a boolean; allowed"),
        ({"candidateCount": 9}, "candidateCount", "9; allowed is a whole number from 1 to 8"),
        ({"candidateCount": 0}, "candidateCount", "0; allowed"),
        ({"temperature": "secret"}, "temperature", "a string; allowed is a number"),
        ({"temperature": True}, "temperature", "a boolean; allowed is a number"),
        ({"responseLogprobs": 1}, "responseLogprobs", "a number; allowed is true or false"),
        ({"logprobs": -1}, "logprobs", "-1; allowed"),
        ({"thinkingConfig": []}, "thinkingConfig", "an array; allowed is an object"),
        (
            {"thinkingConfig": {"thinkingBudget": -2}},
            "thinkingConfig.thinkingBudget",
            "-2; allowed",
        ),
        (
            {"thinkingConfig": {"includeThoughts": "secret"}},
            "thinkingConfig.includeThoughts",
            "a string; allowed",
        ),
        (
            {"maxOutputTokens": 5, "max_output_tokens": 500},
            "maxOutputTokens",
            'there twice, once as "max_output_tokens"',
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(config: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        ask(generationConfig=config)
    assert refused.value.field == CONFIG + field
    assert refused.value.message.startswith(f'"{CONFIG}{field}" is {message}')
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contents": None}, "contents"),
        ({"generationConfig": []}, "generationConfig"),
        ({"generationConfig": {}, "generation_config": {}}, "generationConfig"),
        ({"systemInstruction": {}, "system_instruction": {}}, "systemInstruction"),
        ({"model": 7}, "model"),
    ],
)
@pytest.mark.parametrize("route", [GENERATE, STREAM])
def test_a_wrong_member_of_the_body_is_refused_by_name(
    route: Route, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(MalformedRequest) as refused:
        ask(route, **body)
    assert refused.value.field == field


def test_the_path_names_the_model_and_the_body_names_no_other() -> None:
    assert ask(model="m").model == ask(model="models/m").model == "m"
    with pytest.raises(MalformedRequest, match="not the model of the path") as refused:
        ask(model="models/another")
    assert refused.value.field == "model"
    assert "another" not in refused.value.message


def test_without_a_model_in_the_path_the_body_must_name_it() -> None:
    assert ask(path_model=None, model="models/m").model == "models/m"
    with pytest.raises(MalformedRequest, match='"model" is missing'):
        ask(path_model=None)


class TestCountingTokens:
    def test_the_contents_are_read(self) -> None:
        assert ask(COUNT_TOKENS) == Ask(model="m", input_tokens=8, turns=1)

    def test_a_whole_request_is_read(self) -> None:
        whole = {"model": "models/m", "contents": CONTENTS, "systemInstruction": {"parts": []}}
        expected = Ask(model="m", input_tokens=12, turns=1)
        for name in ("generateContentRequest", "generate_content_request"):
            assert GEMINI.read_ask(COUNT_TOKENS, {name: whole}, 100, "m") == expected

    def test_a_wrong_field_within_it_is_refused_by_its_place(self) -> None:
        whole = {"contents": [{"parts": 7}]}
        with pytest.raises(MalformedRequest) as refused:
            GEMINI.read_ask(COUNT_TOKENS, {"generateContentRequest": whole}, 100, "m")
        assert refused.value.field == "generateContentRequest.contents[0].parts"

    def test_nothing_to_count_is_refused(self) -> None:
        with pytest.raises(MalformedRequest, match='"contents" is missing'):
            GEMINI.read_ask(COUNT_TOKENS, {}, 2, "m")


def test_a_list_of_models_asks_for_nothing() -> None:
    assert GEMINI.read_ask(MODELS, {}, 0) == Ask(model=None)
    assert GEMINI.read_ask(MODEL, {}, 0, "m") == Ask(model="m")


@pytest.mark.parametrize("route", GEMINI.routes)
def test_the_very_bytes_go_on(route: Route) -> None:
    assert GEMINI.amend(route, {"contents": CONTENTS}, Ask(model="m", stream=True)) is None


def test_both_versions_serve_the_same_routes() -> None:
    served = [(route.method, route.path, route.name, route.generates) for route in GEMINI.routes]
    beta, stable = served[:5], served[5:]
    assert [(m, p.replace("/v1beta/", "/v1/"), n, g) for m, p, n, g in beta] == stable
    assert [route.generates for route in GEMINI.routes[:5]] == [True, True, False, False, False]
    assert [route.name for route in GEMINI.routes[:5]] == [
        RouteName.GENERATE,
        RouteName.GENERATE,
        RouteName.COUNT_TOKENS,
        RouteName.MODELS,
        RouteName.MODELS,
    ]

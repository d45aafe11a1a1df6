"""What a request in Gemini's dialect asks for."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import MalformedRequest
from gateway.facts.dialects import request_fields
from gateway.facts.dialects.gemini_fields import spellings, spelt, wrong
from gateway.facts.dialects.gemini_prompt import Prompt
from gateway.facts.exchange import Ask
from gateway.facts.json_text import dump

MOST_CANDIDATES = 8
"""Google's own limit of `candidateCount`."""

_REQUEST = spellings("model", "contents", "systemInstruction", "tools", "generationConfig")
_COUNTED = spellings("generateContentRequest")
_CONFIG = spellings(
    "maxOutputTokens",
    "candidateCount",
    "temperature",
    "responseLogprobs",
    "logprobs",
    "thinkingConfig",
    "responseSchema",
    "responseJsonSchema",
)
_THINKING = spellings("includeThoughts", "thinkingBudget", "thinkingLevel")


def read_generate(body: Mapping[str, Any], path_model: str | None, *, stream: bool) -> Ask:
    """Raises `MalformedRequest`, which names the field by its full camel-case path."""
    fields = spelt(body, _REQUEST)
    model = _model(fields, path_model)
    prompt = Prompt()
    prompt.take(fields)
    config = spelt(request_fields.mapping(fields, "generationConfig"), _CONFIG, "generationConfig.")
    for name in ("responseSchema", "responseJsonSchema"):
        if schema := config.get(f"generationConfig.{name}"):
            prompt.text_bytes += len(dump(schema))  # a model is shown the schema itself
    return Ask(
        model=model,
        stream=stream,
        input_tokens=prompt.tokens,
        max_output_tokens=request_fields.whole_number(
            config, "generationConfig.maxOutputTokens", least=1
        ),
        choices=request_fields.whole_number(
            config, "generationConfig.candidateCount", least=1, most=MOST_CANDIDATES
        )
        or 1,
        temperature=_number(config, "generationConfig.temperature"),
        logprobs=_asks_for_logprobs(config),
        reasoning=_asks_for_reasoning(config),
        tools=prompt.tools,
        images=prompt.images,
        turns=prompt.turns,
        tool_results=prompt.tool_results,
    )


def read_count(body: Mapping[str, Any], path_model: str | None) -> Ask:
    """The prompt stands in the body itself, or in a whole request that is to be counted.

    Raises `MalformedRequest`.
    """
    whole = request_fields.mapping(spelt(body, _COUNTED), "generateContentRequest")
    within = "generateContentRequest." if whole else ""
    fields = spelt(whole or body, _REQUEST, within)
    prompt = Prompt(within)
    prompt.take(fields)
    return Ask(
        model=_model(fields, path_model, within),
        input_tokens=prompt.tokens,
        tools=prompt.tools,
        images=prompt.images,
        turns=prompt.turns,
        tool_results=prompt.tool_results,
    )


def _model(fields: Mapping[str, Any], path_model: str | None, within: str = "") -> str:
    """The path names the model. A body may repeat it, and may not name another one."""
    name = f"{within}model"
    if path_model is None:
        return request_fields.model_name({"model": fields[name]} if name in fields else {})
    repeated = request_fields.text(fields, name)
    if repeated is not None and repeated.removeprefix("models/") != path_model:
        raise MalformedRequest(
            f'"{name}" is not the model of the path; readers disagree which one counts.',
            field=name,
        )
    return path_model


def _asks_for_logprobs(config: Mapping[str, Any]) -> bool:
    asked = request_fields.flag(config, "generationConfig.responseLogprobs")
    return bool(request_fields.whole_number(config, "generationConfig.logprobs", least=0)) or asked


def _asks_for_reasoning(config: Mapping[str, Any]) -> bool:
    """A budget of 0 turns thinking off; -1 leaves it to the model."""
    within = "generationConfig.thinkingConfig."
    thinking = spelt(
        request_fields.mapping(config, "generationConfig.thinkingConfig"), _THINKING, within
    )
    budget = request_fields.whole_number(thinking, f"{within}thinkingBudget", least=-1)
    level = request_fields.text(thinking, f"{within}thinkingLevel")
    return request_fields.flag(thinking, f"{within}includeThoughts") or bool(budget or level)


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, value, "a number")
    return float(value)

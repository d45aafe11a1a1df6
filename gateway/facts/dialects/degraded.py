"""A request with less in it: a lower ceiling, fewer answers, no log probabilities, no reasoning.

Every spelling that the dialects read is lowered or taken out, so what is admitted is what goes on.
A ceiling that nobody declared is set. Only requests are changed: what a model writes without being
asked passes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.facts.exchange import Ask, RouteName

LOGPROBS, REASONING = "logprobs", "reasoning"
"""What can be stripped."""

_CEILINGS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_UNDECLARED = {
    RouteName.CHAT: "max_completion_tokens",
    RouteName.COMPLETIONS: "max_tokens",
    RouteName.RESPONSES: "max_output_tokens",
    RouteName.MESSAGES: "max_tokens",
}
_CHOICES = ("n", "best_of")
_CONFIGS = ("generationConfig", "generation_config")
_CONFIG_CEILINGS = ("maxOutputTokens", "max_output_tokens")
_CONFIG_CHOICES = ("candidateCount", "candidate_count")
_ASKED = {
    LOGPROBS: ("logprobs", "top_logprobs", "n_probs"),
    REASONING: ("reasoning_effort", "reasoning", "include_reasoning", "thinking", "think"),
}
_ASKED_IN_CONFIG = {
    LOGPROBS: ("responseLogprobs", "response_logprobs", "logprobs"),
    REASONING: ("thinkingConfig", "thinking_config"),
}
_INCLUDED = {
    LOGPROBS: "message.output_text.logprobs",
    REASONING: "reasoning.encrypted_content",
}
_TEMPLATE, _THINKING = "chat_template_kwargs", ("enable_thinking", "thinking")


def degraded(
    route: str,
    body: Mapping[str, Any],
    ask: Ask,
    *,
    max_tokens: int | None = None,
    choices: int | None = None,
    strip: frozenset[str] = frozenset(),
) -> tuple[dict[str, Any], Ask]:
    """The body to send on, and what it asks for then. `route` is the route's name."""
    fields = dict(body)
    if max_tokens is not None:
        ask = replace(ask, max_output_tokens=min(ask.max_output_tokens or max_tokens, max_tokens))
        _lower_ceiling(route, fields, max_tokens)
    if choices is not None:
        ask = replace(ask, choices=min(ask.choices, choices))
        _lower(fields, _CHOICES, choices)
        for name in _configs(fields):
            _lower(fields[name], _CONFIG_CHOICES, choices)
    for what in strip:
        _strip(fields, what)
    return fields, replace(
        ask,
        logprobs=ask.logprobs and LOGPROBS not in strip,
        reasoning=ask.reasoning and REASONING not in strip,
    )


def _lower_ceiling(route: str, fields: dict[str, Any], most: int) -> None:
    if route == RouteName.GENERATE:
        names = _configs(fields) or ["generationConfig"]
        for name in names:
            config = fields.setdefault(name, {})
            if not _lower(config, _CONFIG_CEILINGS, most):
                config["maxOutputTokens"] = most
    elif not _lower(fields, _CEILINGS, most) and route in _UNDECLARED:
        fields[_UNDECLARED[RouteName(route)]] = most


def _lower(fields: dict[str, Any], names: tuple[str, ...], most: int) -> bool:
    """Whether any of them stood there."""
    found = [name for name in names if isinstance(fields.get(name), int)]
    for name in found:
        fields[name] = min(fields[name], most)
    return bool(found)


def _configs(fields: dict[str, Any]) -> list[str]:
    """Names of Gemini's settings, each copied, so that what was read stays as it was."""
    found = [name for name in _CONFIGS if isinstance(fields.get(name), dict)]
    for name in found:
        fields[name] = dict(fields[name])
    return found


def _strip(fields: dict[str, Any], what: str) -> None:
    for name in _ASKED.get(what, ()):
        fields.pop(name, None)
    for name in _configs(fields):
        for inner in _ASKED_IN_CONFIG.get(what, ()):
            fields[name].pop(inner, None)
    included = fields.get("include")
    if isinstance(included, list):
        fields["include"] = [one for one in included if one != _INCLUDED.get(what)]
    template = fields.get(_TEMPLATE)
    if what == REASONING and isinstance(template, dict):
        fields[_TEMPLATE] = {k: v for k, v in template.items() if k not in _THINKING}

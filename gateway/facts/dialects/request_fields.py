"""The fields of a request that gauger itself reads, with their types checked.

An error names the field, what kind of value was found and what is allowed. It repeats no text: a
prompt may stand where another value belongs. A field that is null counts as absent, as the model
APIs themselves have it.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.errors import MalformedRequest
from gateway.facts.json_text import json_type

MODEL_NAME_CHARACTERS = 256
"""Of a model's name. The longest in use are paths of fine-tuned models, below 150."""

_USUAL_NAME = re.compile(rf"[!-~]{{1,{MODEL_NAME_CHARACTERS}}}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_COUNTED = frozenset(
    (
        *("model", "messages", "prompt", "input", "suffix", "system", "instructions"),
        *("n", "n_cmpl", "best_of", "max_tokens", "max_completion_tokens", "max_output_tokens"),
        *("n_predict", "stream", "stream_options", "tools", "functions", "thinking", "reasoning"),
        *("user", "safety_identifier", "metadata", "background", "previous_response_id"),
        *("session_id", "litellm_session_id", "conversation"),
        *("contents", "generationConfig", "generation_config", "generateContentRequest"),
        *("generate_content_request", "systemInstruction", "system_instruction"),
    )
)
"""What moves a counter, in any dialect."""

_BY_FOLDED = {name.casefold(): name for name in _COUNTED}
"""Folded as Go's reader does, to which the Kelvin sign is a k."""

MOST = 2**31 - 1
"""The ceiling of every count: what model servers keep in 32 bits wraps around above it."""


def model_name(body: Mapping[str, Any]) -> str:
    name = body.get("model")
    if isinstance(name, str) and _USUAL_NAME.fullmatch(name):
        return name
    allowed = f"the name of a model, 1 to {MODEL_NAME_CHARACTERS} characters, no control characters"
    if not isinstance(name, str):
        raise wrong("model", found(body, "model"), allowed)
    if not name.strip():
        raise wrong("model", "an empty string", allowed)
    if len(name) > MODEL_NAME_CHARACTERS:
        raise wrong("model", f"a string of {len(name):,} characters", allowed)
    if _CONTROL.search(name):
        raise wrong("model", "a string with a control character", allowed)
    return name


def demand_known_case(body: Mapping[str, Any]) -> None:
    """Raises `MalformedRequest` for a counted field in other letters: `Max_Tokens`.

    Some servers read it as `max_tokens` (Go's do by default), others pass over it.
    """
    for key in body:
        if key not in _COUNTED and (name := _BY_FOLDED.get(key.casefold())):
            raise MalformedRequest(
                f'"{name}" is written in other letters, large or small; readers disagree whether '
                f'that counts. Write it as "{name}".',
                field=name,
            )


def messages(body: Mapping[str, Any]) -> list[Any]:
    value = body.get("messages")
    if not isinstance(value, list):
        raise wrong("messages", found(body, "messages"), "an array of messages")
    return value


def whole_number(
    body: Mapping[str, Any], name: str, *, least: int, most: int = MOST, required: bool = False
) -> int | None:
    """None where it is absent."""
    value = body.get(name)
    if value is None and not required:
        return None
    if type(value) is int and least <= value <= most:
        return value
    allowed = f"a whole number from {least:,} to {most:,}"
    if isinstance(value, bool) or not isinstance(value, int):
        kind = "a fraction" if isinstance(value, float) else found(body, name)
        raise wrong(name, kind, allowed)
    if not least <= value <= most:
        raise wrong(name, f"{value:,}", allowed)
    return value


def flag(body: Mapping[str, Any], name: str, *, within: str = "") -> bool:
    """False where it is absent."""
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong(within + name, json_type(value), "true or false")
    return value


def number(body: Mapping[str, Any], name: str) -> float | None:
    """None where it is absent."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, json_type(value), "a number")
    return float(value)


def array(body: Mapping[str, Any], name: str) -> list[Any]:
    """Empty where it is absent."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(name, json_type(value), "an array")
    return value


def length(body: Mapping[str, Any], name: str) -> int:
    """Of an array; 0 where it is absent."""
    return len(array(body, name))


def asked(body: Mapping[str, Any], *names: str) -> bool:
    """One of these is switched on, as whatever it is written.

    No type is checked: the value moves no counter, servers write it in several ways, and a policy
    rather sees it once too often.
    """
    for name in names:
        if name in body and body[name] not in (None, False, 0, "", "none", "off", [], {}):
            return True
    return False


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Empty where it is absent."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(name, json_type(value), "an object")
    return value


def text(body: Mapping[str, Any], name: str, *, within: str = "") -> str | None:
    """None where it is absent or empty."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong(within + name, json_type(value), "a string")
    return value or None


def found(body: Mapping[str, Any], name: str) -> str:
    """What stands there, in words."""
    return json_type(body[name]) if name in body else "missing"


def wrong(name: str, found: str, allowed: str) -> MalformedRequest:
    """The error about a field: what was found in it, and what is allowed."""
    return MalformedRequest(f'"{name}" is {found}; allowed is {allowed}.', field=name)

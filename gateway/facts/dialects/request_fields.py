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

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

MOST = 2**31 - 1
"""The ceiling of every count: what model servers keep in 32 bits wraps around above it."""


def model_name(body: Mapping[str, Any]) -> str:
    allowed = f"the name of a model, 1 to {MODEL_NAME_CHARACTERS} characters, no control characters"
    name = body.get("model")
    if not isinstance(name, str):
        raise _wrong("model", _found(body, "model"), allowed)
    if not name.strip():
        raise _wrong("model", "an empty string", allowed)
    if len(name) > MODEL_NAME_CHARACTERS:
        raise _wrong("model", f"a string of {len(name):,} characters", allowed)
    if _CONTROL.search(name):
        raise _wrong("model", "a string with a control character", allowed)
    return name


def messages(body: Mapping[str, Any]) -> list[Any]:
    found = body.get("messages")
    if not isinstance(found, list):
        raise _wrong("messages", _found(body, "messages"), "an array of messages")
    return found


def whole_number(
    body: Mapping[str, Any], name: str, *, least: int, most: int = MOST, required: bool = False
) -> int | None:
    """None where it is absent."""
    value = body.get(name)
    if value is None and not required:
        return None
    allowed = f"a whole number from {least:,} to {most:,}"
    if isinstance(value, bool) or not isinstance(value, int):
        found = "a fraction" if isinstance(value, float) else _found(body, name)
        raise _wrong(name, found, allowed)
    if not least <= value <= most:
        raise _wrong(name, f"{value:,}", allowed)
    return value


def flag(body: Mapping[str, Any], name: str, *, within: str = "") -> bool:
    """False where it is absent."""
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _wrong(within + name, json_type(value), "true or false")
    return value


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Empty where it is absent."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(name, json_type(value), "an object")
    return value


def text(body: Mapping[str, Any], name: str, *, within: str = "") -> str | None:
    """None where it is absent or empty."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(within + name, json_type(value), "a string")
    return value or None


def _found(body: Mapping[str, Any], name: str) -> str:
    return json_type(body[name]) if name in body else "missing"


def _wrong(name: str, found: str, allowed: str) -> MalformedRequest:
    return MalformedRequest(f'"{name}" is {found}; allowed is {allowed}.', field=name)

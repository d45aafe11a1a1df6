"""Text as completions and embeddings take it: a string, tokens, or an array of either."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import MalformedRequest
from gateway.facts.dialects import request_fields
from gateway.facts.estimate import input_tokens

MOST_TEXTS = 2_048
"""OpenAI's own limit of an array."""

_ALLOWED = "a string, an array of tokens, or an array of strings or of arrays of tokens, none empty"


@dataclass(frozen=True, slots=True)
class Texts:
    count: int
    tokens: int
    """Of all together: those that were sent as tokens, counted; the rest estimated."""


def read_texts(body: Mapping[str, Any], name: str) -> Texts:
    """Raises `MalformedRequest`."""
    value = body.get(name)
    if isinstance(value, str):
        return Texts(1, _tokens(value, name))
    if not isinstance(value, list):
        raise request_fields.wrong(name, request_fields.found(body, name), _ALLOWED)
    if value and all(_is_token(entry) for entry in value):
        return Texts(1, len(value))
    if len(value) > MOST_TEXTS:
        found = f"an array of {len(value):,}"
        raise request_fields.wrong(name, found, f"an array of at most {MOST_TEXTS:,} texts")
    if not value:
        raise request_fields.wrong(name, "an empty array", _ALLOWED)
    return Texts(len(value), sum(_tokens(entry, name) for entry in value))


def _tokens(entry: object, name: str) -> int:
    if isinstance(entry, str):
        encoded = len(entry) if entry.isascii() else len(entry.encode())
        return max(1, input_tokens(encoded, 0))
    if isinstance(entry, list) and entry and all(_is_token(token) for token in entry):
        return len(entry)
    raise _mixed(name)


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _mixed(name: str) -> MalformedRequest:
    return request_fields.wrong(name, "an array with something else in it", _ALLOWED)

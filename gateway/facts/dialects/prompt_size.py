"""How much a model will have to read: bytes of text, and images and files that are not text.

The dialects nest text differently and servers add kinds of parts of their own, so the walk counts
every string that it meets, except those that it knows to be no text. What it takes for an image or
a file gets a flat figure: base64 is not text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.facts.estimate import FILE_TOKENS, IMAGE_TOKENS, input_tokens
from gateway.facts.json_text import dump
from gateway.values import made_often

_IMAGE_PARTS = frozenset({"image", "image_url", "input_image", "computer_screenshot"})
_FILE_PARTS = frozenset({"file", "input_file", "input_audio", "document", "audio_url", "video_url"})
_BINARY_SOURCES = frozenset({"base64", "url", "file"})

_NO_TEXT = frozenset(
    {
        "role",
        "type",
        "id",
        "call_id",
        "tool_call_id",
        "tool_use_id",
        "cache_control",
        "signature",
        "encrypted_content",
    }
)
"""Keys whose values steer the exchange; the template adds about four tokens per message instead."""


_PLAIN = {"role", "content"}
"""What a message has if it has nothing special."""

_SHOWN = ("tools", "functions", "response_format", "text")
"""Fields with schemas, of which a model is shown the JSON itself."""


@made_often
@dataclass(frozen=True, slots=True)
class PromptSize:
    tokens: int
    """Estimated, images and files included."""
    images: int


def measured(body: Mapping[str, Any], messages: list[Any], *text_fields: str) -> PromptSize:
    """The messages, the named other fields of the body, tools and schemas."""
    counted: list[Any] = [*messages, *(body[name] for name in text_fields if body.get(name))]
    text_bytes, flat_tokens, images = _measure(counted)
    text_bytes += sum(len(dump(body[name])) for name in _SHOWN if body.get(name))
    return PromptSize(input_tokens(text_bytes, len(counted)) + flat_tokens, images)


def text_bytes(value: object) -> int:
    """Bytes of all strings in a value that a model wrote."""
    return _measure([value])[0]


def _measure(values: list[Any]) -> tuple[int, int, int]:
    """Bytes of text, tokens of what is not text, and how many images are among it.

    A stack, since a recursion has a limit.
    """
    found_bytes = flat_tokens = images = 0
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found_bytes += len(value) if value.isascii() else len(value.encode())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            if value.keys() == _PLAIN:
                waiting.append(value["content"])
                continue
            flat = _flat_tokens(value)
            if flat:
                flat_tokens += flat
                images += flat == IMAGE_TOKENS
            else:
                waiting.extend(inner for key, inner in value.items() if key not in _NO_TEXT)
    return found_bytes, flat_tokens, images


def _flat_tokens(part: Mapping[str, Any]) -> int:
    """0 for what is text."""
    kind = part.get("type")
    if not isinstance(kind, str):
        return 0
    if kind in _IMAGE_PARTS:
        return IMAGE_TOKENS
    if kind not in _FILE_PARTS:
        return 0
    source = part.get("source")
    if isinstance(source, dict) and source.get("type") not in _BINARY_SOURCES:
        return 0  # a document may hold plain text, or parts of its own
    return FILE_TOKENS

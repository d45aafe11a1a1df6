"""The fields of Gemini's JSON, which the API reads as protobuf.

Every field has two spellings (`maxOutputTokens` and `max_output_tokens`), and where a list belongs
a single object may stand, as Google's own examples have it. Both are read. A field in both
spellings has two meanings and is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import MalformedRequest
from gateway.facts.json_text import json_type

Spellings = tuple[tuple[str, str], ...]
"""In camel case, and as the protobuf has it."""


def spellings(*names: str) -> Spellings:
    """From the names in camel case."""
    return tuple(
        (name, "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name))
        for name in names
    )


def spelt(source: Mapping[str, Any], names: Spellings, within: str = "") -> dict[str, Any]:
    """The named fields that are there, by their full path in camel case.

    Raises `MalformedRequest` for one in both spellings.
    """
    found: dict[str, Any] = {}
    for name, snake in names:
        if name in source:
            found[within + name] = source[name]
            if snake != name and snake in source:
                raise MalformedRequest(
                    f'"{within}{name}" is there twice, once as "{snake}"; '
                    "readers disagree which one counts.",
                    field=within + name,
                )
        elif snake in source:
            found[within + name] = source[snake]
    return found


def objects(value: object, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a list, each with its place; one object alone counts as a list of one."""
    if value is None:
        return
    if isinstance(value, dict):
        yield name, value
        return
    if not isinstance(value, list):
        raise wrong(name, value, "an array of objects")
    for place, item in enumerate(value):
        at = f"{name}[{place}]"
        if not isinstance(item, dict):
            raise wrong(at, item, "an object")
        yield at, item


def wrong(name: str, value: object, allowed: str) -> MalformedRequest:
    return MalformedRequest(f'"{name}" is {json_type(value)}; allowed is {allowed}.', field=name)

"""The values of behaviours and ladders: text as an operator wrote it becomes what it means.

Each raises `NotUnderstood` with a message for people. The JSON schemas are for editors.
"""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from gateway.facts.behaviour_facts import GROUP_NAMES
from gateway.policy.predicate import CHARACTERS
from gateway.policy.rate import NotUnderstood
from gateway.policy.written_values import from_text
from gateway.source.wording import allowed_words, kind, shown

MOST_POINTS = 100
MOST_GROUP_FACTS = 4
PHRASES_PATH_CHARACTERS = 256

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_MEASURE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_RESERVED = ("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
             "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
             "void", "while")  # fmt: skip
"""Words that CEL keeps for itself (github.com/google/cel-spec, langdef.md)."""


def _group(text: str) -> str:
    """The fact that members share, by its short or its full name."""
    if text in GROUP_NAMES:
        return GROUP_NAMES[text]
    names = [name for name in GROUP_NAMES if "." not in name]
    raise NotUnderstood(
        f"{shown(f'group: {text}')} is nothing that a group can share. {allowed_words(text, names)}"
    )


def _condition(key: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise NotUnderstood(f'"{key}" must be a condition, not {kind(value)}.')
        return value

    return read


def _measures(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise NotUnderstood(
            '"measure" must be a mapping of names to measures, such as accounts: '
            f"distinct(account.id) over 48h; this is {kind(value) if value != {} else 'empty'}."
        )
    return value


def measure_name_fault(name: str) -> str | None:
    if name in _RESERVED or _MEASURE_NAME.fullmatch(name) is None:
        return (
            f"{shown(name)} cannot be the name of a measure. Write a-z, 0-9 and _, beginning with "
            "a letter, at most 32 characters."
        )
    return None


def whole(key: str, least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text) if _WHOLE.fullmatch(text.strip()) else None
        if number is None or not least <= number <= most:
            raise NotUnderstood(
                f"{shown(f'{key}: {text}')} is not allowed. Write a whole number from {least} to "
                f"{most:,}."
            )
        return number

    return read


def whole_schema(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": least, "maximum": most},
                {"type": "string", "pattern": r"^\s*-?[0-9]+\s*$"},
            ]
        }
    )


def _points(text: str) -> int:
    points = whole("points", -MOST_POINTS, MOST_POINTS)(text)
    if not points:
        raise NotUnderstood('"points: 0" changes nothing. To only watch, write mode: shadow.')
    return points


def one_or_more(key: str) -> BeforeValidator:
    def entries(value: object) -> object:
        found = value if isinstance(value, list) else [value]
        if not found:
            raise NotUnderstood(f'"{key}" is an empty list. Write at least one, or delete the key.')
        return found

    return BeforeValidator(entries)


def phrases(value: object) -> str | tuple[str, ...]:
    """A path, or the phrases themselves."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return tuple(value)
    if isinstance(value, str) and 0 < len(value.strip()) <= PHRASES_PATH_CHARACTERS:
        return value.strip()
    found = "an empty list" if value == [] else kind(value)
    raise NotUnderstood(
        '"phrases" is the path of a text file beside this one, with a phrase in each line, or a '
        f"list of texts; not {found}."
    )


def text_schema(*examples: str, pattern: str = r"\S") -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


def one_or_list(entry: dict[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [entry, {"type": "array", "items": entry, "minItems": 1}]})


Group = Annotated[
    tuple[Annotated[str, PlainValidator(from_text("group", _group))], ...],
    one_or_more("group"),
    one_or_list({"type": "string", "enum": list(GROUP_NAMES)}),
]


_EXCHANGE_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"\S",
        "maxLength": CHARACTERS,
        "examples": ["request.turns == 1 && request.tools == 0", "history.fresh"],
    }
)
Among = Annotated[str | None, PlainValidator(_condition("among")), _EXCHANGE_SCHEMA]
Applies = Annotated[str | None, PlainValidator(_condition("applies")), _EXCHANGE_SCHEMA]
WhenMeasured = Annotated[
    str,
    PlainValidator(_condition("when")),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"\S",
            "maxLength": CHARACTERS,
            "examples": ["accounts >= 25 && young >= 0.7"],
        }
    ),
]
MeasureTexts = Annotated[
    dict[str, Annotated[str, PlainValidator(from_text("measure", str))]],
    BeforeValidator(_measures),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^{_MEASURE_NAME.pattern}$"},
            "additionalProperties": {
                "type": "string",
                "pattern": r"\(",
                "examples": [
                    "distinct(account.id) over 48h",
                    "share_of_accounts(account.age_days < 7) over 48h",
                    'share(prompt.matches("reasoning-elicitation")) over 200 requests',
                ],
            },
        }
    ),
]
Points = Annotated[
    int,
    PlainValidator(from_text("points", _points)),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "integer",
                    "minimum": -MOST_POINTS,
                    "maximum": MOST_POINTS,
                    "not": {"const": 0},
                },
                {"type": "string", "pattern": r"^\s*-?[0-9]+\s*$"},
            ],
            "examples": [45, -20],
        }
    ),
]
Phrases = Annotated[
    str | tuple[str, ...],
    PlainValidator(phrases),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"\S", "examples": ["lists/elicitation.txt"]},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]

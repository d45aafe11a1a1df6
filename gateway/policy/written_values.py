"""The values of a rule, one at a time: text as an operator wrote it becomes what it means.

Each raises `NotUnderstood` with a message for people. The JSON schemas are for editors.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from gateway.facts.catalog import CATALOG, PARTITION_NAMES
from gateway.policy.factor import MOST, factor, percent, scale_factor
from gateway.policy.predicate import CHARACTERS
from gateway.policy.quota import SECOND_US
from gateway.policy.rate import UNITS, USD, NotUnderstood, Rate, amount, duration_us, money, rate
from gateway.policy.timezone import known_timezone
from gateway.source.wording import allowed_words, kind, shown

ID_CHARACTERS = 64
WHY_CHARACTERS = 500
"""It goes into every trace that the rule is part of."""

MIN_LEASE_US = 5 * SECOND_US
"""A pause of the collector or the network must not free the slot of a living exchange."""
MAX_LEASE_US = 3_600 * SECOND_US

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")

T = TypeVar("T")


def from_text(key: str, read: Callable[[str], T]) -> Callable[[object], T]:
    """A number without quotes is read as it was written; anything else is no text at all."""

    def validate(value: object) -> T:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise NotUnderstood(f'"{key}" must be text, not {kind(value)}.')
        return read(str(value))

    return validate


def _id(text: str) -> str:
    if _ID.fullmatch(text) is None or len(text) > ID_CHARACTERS:
        raise NotUnderstood(
            f"{shown(f'id: {text}')} is not an id. Write a-z, 0-9 and hyphens, beginning with a "
            f"letter or digit, at most {ID_CHARACTERS} characters."
        )
    return text


def _named_id(text: str) -> str:
    """Of another rule; whether there is such a one, `policy.overrides` sees."""
    return text.strip()


def _why(text: str) -> str:
    written = " ".join(text.split())
    if not written or len(written) > WHY_CHARACTERS:
        raise NotUnderstood(
            f'"why" has {len(written)} characters. Write one sentence, at most {WHY_CHARACTERS}.'
        )
    return written


def _partition(text: str) -> str:
    """The fact that a partition key means, by its short or its full name."""
    if text in PARTITION_NAMES:
        return PARTITION_NAMES[text]
    names = [fact.short or fact.name for fact in CATALOG.values() if fact.partitions]
    if text in CATALOG:
        raise NotUnderstood(
            f"{shown(f'per: {text}')} takes too many or too few values to count by. "
            f"Allowed: {', '.join(names)}."
        )
    raise NotUnderstood(
        f"{shown(f'per: {text}')} is not a partition key. {allowed_words(text, names)}"
    )


def _lease_us(text: str) -> int:
    lease_us = duration_us(text)
    if not MIN_LEASE_US <= lease_us <= MAX_LEASE_US:
        raise NotUnderstood(f"{shown(f'lease: {text}')} is out of bounds. Allowed: 5s to 1h.")
    return lease_us


@dataclass(frozen=True, slots=True)
class Burst:
    """How much at once; `amount` is in micro-USD if it is `money`."""

    amount: int
    money: bool


def _burst(text: str) -> Burst:
    if USD in text:
        return Burst(money(text), money=True)
    return Burst(amount(text), money=False)


def _when(value: object) -> str:
    if not isinstance(value, str):
        raise NotUnderstood(f'"when" must be a condition, not {kind(value)}.')
    return value


def _price(text: str) -> int:
    return money(text, least=0)


def filled(key: str) -> BeforeValidator:
    def entries(value: object) -> object:
        if value in ({}, None):
            raise NotUnderstood(f'"{key}" holds nothing. Write at least one entry, or delete it.')
        return value

    return BeforeValidator(entries)


def _one_or_list(key: str) -> BeforeValidator:
    def entries(value: object) -> object:
        if not isinstance(value, list):
            return [value]
        if not value:
            raise NotUnderstood(f'"{key}" is an empty list. Write at least one, or delete the key.')
        return value

    return BeforeValidator(entries)


def _text_schema(
    *examples: str, pattern: str, numbers: dict[str, object] | None = None
) -> WithJsonSchema:
    """Of a text that may be padded; `numbers` is the schema of those that need no quotes."""
    text: dict[str, object] = {"type": "string", "pattern": rf"^\s*(?:{pattern})\s*$"}
    schema = text if numbers is None else {"anyOf": [numbers, text]}
    return WithJsonSchema({**schema, "examples": list(examples)})


def _factor_schema(**bounds: float) -> WithJsonSchema:
    numbers = {"type": "number", "maximum": MOST, **bounds}
    return WithJsonSchema({"anyOf": [numbers, {"type": "string", "pattern": r"^\s*[0-9.]+\s*$"}]})


_AMOUNT = r"[0-9][0-9_]*[kMG]?"
_MONEY = r"[0-9][0-9_]*(?:\.[0-9]{1,6})?[kMG]?\s+USD"
_UNITS = "|".join(f"{unit}|{unit.removesuffix('s')}" for unit in UNITS if unit != USD)
_WINDOWS = "(?:[0-9]+\\s+)?(?:second|sec|minute|min|hour|day|week|month)s?"
_LIMIT = (
    rf"(?:{_MONEY}|{_AMOUNT}(?:\s+(?:{_UNITS}))?)(?:\s*/\s*|\s+per\s+){_WINDOWS}"
    rf"|{_AMOUNT}\s+concurrent"
)

Factor = Annotated[
    Fraction, PlainValidator(from_text("weights", factor)), _factor_schema(minimum=0)
]
Price = Annotated[
    int,
    PlainValidator(from_text("prices", _price)),
    _text_schema("3 USD", "0.30 USD", pattern=_MONEY),
]


def _list_schema(entry: dict[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [entry, {"type": "array", "items": entry, "minItems": 1}]})


Limits = Annotated[
    tuple[Annotated[Rate, PlainValidator(from_text("limit", rate))], ...],
    _one_or_list("limit"),
    _list_schema(
        {
            "type": "string",
            "pattern": rf"^\s*(?:{_LIMIT})\s*$",
            "examples": ["600 requests/minute", "2M tokens/day", "40 USD/day", "8 concurrent"],
        }
    ),
]
Partitions = Annotated[
    tuple[Annotated[str, PlainValidator(from_text("per", _partition))], ...],
    _one_or_list("per"),
    _list_schema({"type": "string", "enum": list(PARTITION_NAMES)}),
]

Id = Annotated[
    str,
    PlainValidator(from_text("id", _id)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": f"^[a-z0-9][a-z0-9-]{{0,{ID_CHARACTERS - 1}}}$"},
            ],
            "examples": ["requests-per-minute"],
        }
    ),
]
Ids = Annotated[
    tuple[Annotated[str, PlainValidator(from_text("overrides", _named_id))], ...],
    _one_or_list("overrides"),
    _list_schema({"type": ["string", "integer"], "examples": ["requests-per-minute"]}),
]
Why = Annotated[
    str,
    PlainValidator(from_text("why", _why)),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"\S"}),
]
When = Annotated[
    str | None,
    PlainValidator(_when),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"\S",
            "maxLength": CHARACTERS,
            "examples": ['account.plan == "free" && request.n > 1'],
        }
    ),
]
Scale = Annotated[
    dict[
        str,
        Annotated[
            Fraction,
            PlainValidator(from_text("scale", scale_factor)),
            _factor_schema(exclusiveMinimum=0),
        ],
    ],
    filled("scale"),
]
Timezone = Annotated[
    str,
    PlainValidator(from_text("timezone", known_timezone)),
    WithJsonSchema(
        {"type": "string", "pattern": "^[A-Za-z0-9_+/-]+$", "examples": ["UTC", "Europe/Berlin"]}
    ),
]
BurstText = Annotated[
    Burst | None,
    PlainValidator(from_text("burst", _burst)),
    _text_schema(
        "50k", "5 USD", pattern=rf"{_MONEY}|{_AMOUNT}", numbers={"type": "integer", "minimum": 1}
    ),
]
Lease = Annotated[
    int,
    PlainValidator(from_text("lease", _lease_us)),
    _text_schema("30s", pattern="[0-9]{1,9}[smhd]"),
]
Share = Annotated[
    int | None,
    PlainValidator(from_text("warn_at", percent)),
    _text_schema("80%", pattern="[1-9][0-9]?%"),
]

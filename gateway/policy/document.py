"""What an operator writes, as models: every key with its meaning, its form and its default.

The descriptions are for people: they stand in error messages and in the schema for editors. What
only concerns one value is checked here; what concerns several together, in `policy.compile`.
"""

import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from gateway.facts.catalog import CATALOG, PARTITION_NAMES
from gateway.policy.quota import SECOND_US, Missing, Mode
from gateway.policy.rate import NotUnderstood, Rate, amount, duration_us, rate
from gateway.source.model import Written
from gateway.source.wording import allowed_words, kind, shown

ID_CHARACTERS = 64
WHY_CHARACTERS = 500
"""It goes into every trace that the rule is part of."""

MIN_LEASE_US = 5 * SECOND_US
"""A pause of the collector or the network must not free the slot of a living exchange."""
MAX_LEASE_US = 3_600 * SECOND_US

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")

T = TypeVar("T")


def _from_text(key: str, read: Callable[[str], T]) -> Callable[[object], T]:
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


def _window(value: object) -> object:
    if value == "calendar":
        raise NotUnderstood(
            'This version of gauger does not know "window: calendar" and would not enforce it. '
            "Allowed: sliding, bucket."
        )
    return value


def _one_or_list(key: str) -> BeforeValidator:
    def entries(value: object) -> object:
        if not isinstance(value, list):
            return [value]
        if not value:
            raise NotUnderstood(f'"{key}" is an empty list. Write at least one, or delete the key.')
        return value

    return BeforeValidator(entries)


def _text_schema(*examples: str, pattern: str | None = None) -> WithJsonSchema:
    schema: dict[str, object] = {"type": ["string", "integer"], "examples": list(examples)}
    return WithJsonSchema(schema if pattern is None else {"type": "string", "pattern": pattern})


def _list_schema(entry: dict[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [entry, {"type": "array", "items": entry, "minItems": 1}]})


_Limits = Annotated[
    tuple[Annotated[Rate, PlainValidator(_from_text("limit", rate))], ...],
    _one_or_list("limit"),
    _list_schema({"type": "string", "examples": ["600 requests/minute", "8 concurrent"]}),
]
_Partitions = Annotated[
    tuple[Annotated[str, PlainValidator(_from_text("per", _partition))], ...],
    _one_or_list("per"),
    _list_schema({"type": "string", "enum": list(PARTITION_NAMES)}),
]


class QuotaRule(Written):
    """At most so much, for each partition apart. All quotas that match a request must fit."""

    later_keys: ClassVar = {
        "when": "conditions",
        "scale": "amounts by plan",
        "timezone": "calendar windows",
        "on_store_failure": "what holds while the store is away",
    }

    id: Annotated[
        str,
        PlainValidator(_from_text("id", _id)),
        _text_schema(pattern=f"^[a-z0-9][a-z0-9-]{{0,{ID_CHARACTERS - 1}}}$"),
        Field(
            description="A name, unique over all files: a-z, 0-9 and hyphens. Counters are kept "
            "under it, so a changed limit keeps what was used."
        ),
    ]
    why: Annotated[
        str,
        PlainValidator(_from_text("why", _why)),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": WHY_CHARACTERS}),
        Field(description="One sentence that an engineer reads in the trace at night."),
    ] = ""
    limit: Annotated[
        _Limits,
        Field(
            description="An amount (k, M, G allowed), a unit (requests, tokens, input_tokens, "
            "output_tokens, concurrent) and a window (second to month, or 15 minutes; a month is "
            "30 days): 600 requests/minute, 2M tokens/day, 8 concurrent. One, or a list."
        ),
    ]
    per: Annotated[
        _Partitions,
        Field(description="By which facts to count: one, or a list for their combination."),
    ] = ("account.id",)
    window: Annotated[
        Literal["sliding", "bucket"],
        BeforeValidator(_window),
        Field(
            description="sliding: at most the limit in any true window. bucket: `burst` at once, "
            "refilled evenly; up to burst + limit in some true window."
        ),
    ] = "sliding"
    burst: Annotated[
        int,
        PlainValidator(_from_text("burst", amount)),
        _text_schema("50k"),
        Field(description="With window: bucket, how much at once: 50k. By default the limit."),
    ] = 0
    lease: Annotated[
        int,
        PlainValidator(_from_text("lease", _lease_us)),
        _text_schema(pattern="^[0-9]+[smhd]$"),
        Field(
            description="With a concurrent limit, how long a slot outlives the last sign of life "
            "of its holder: 5s to 1h."
        ),
    ] = 30 * SECOND_US
    missing: Annotated[
        Missing,
        Field(
            description="If a request has no value for a fact of `per`: account (which stands in), "
            "skip (the quota does not apply), refuse."
        ),
    ] = Missing.ACCOUNT
    mode: Annotated[
        Mode,
        Field(
            description="enforce, or shadow: counted and reported as if it had enforced, "
            "refusing nothing. By default the file's mode."
        ),
    ] = Mode.ENFORCE

    def wrote(self, key: str) -> bool:
        """The key stands in the file; otherwise its value is the default."""
        return key in self.model_fields_set


class PolicyFile(Written):
    """One file of a policy directory."""

    later_keys: ClassVar = {
        "prices": "budgets in money",
        "behaviours": "behaviour policies",
        "lists": "behaviour policies",
        "score": "behaviour policies",
        "responses": "behaviour policies",
        "exemptions": "behaviour policies",
        "guardrails": "behaviour policies",
        "on_store_failure": "what holds while the store is away",
    }

    mode: Annotated[
        Mode,
        Field(description="The mode of all rules of this file that name none: enforce or shadow."),
    ] = Mode.ENFORCE
    quotas: Annotated[
        tuple[QuotaRule, ...],
        Field(description="Limits on requests, tokens and what is in flight."),
    ] = ()

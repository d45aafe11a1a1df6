"""The values of a scenario: text as an operator wrote it becomes what it means.

Each raises `NotUnderstood` with a message for people. The JSON schemas are for editors.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from gateway.policy.quota import SECOND_US, Unit
from gateway.policy.rate import NotUnderstood, Rate, amount, rate
from gateway.policy.written_values import from_text
from gateway.source.wording import allowed_words, kind, shown

PLACEHOLDERS = ("word", "number", "sentence")
"""What a prompt may hold in braces: each request has others in their places."""

MAX_ACCOUNTS = 100_000
MAX_TOKENS = 10_000_000
NAME_CHARACTERS = 64
LONGEST_US = 366 * 86_400 * SECOND_US

_SPAN = re.compile(r"([0-9]{1,9}) ?(s|m|h|d|second|minute|hour|day|week)s?")
_SPAN_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_COUNT = re.compile(r"([0-9]{1,18}[kMG]?)(?: requests?)?")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_ONE_PER = re.compile(r"one per (?:([1-9][0-9]{0,8}) accounts|(?:1 )?account)")
_PER_SESSION = re.compile(r"one per (?:([1-9][0-9]{0,8}) requests|(?:1 )?(request|account))")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Part:
    """So many requests, or such a share of them."""

    count: int = 0
    share: Fraction | None = None

    def of(self, whole: int) -> Fraction:
        return Fraction(self.count) if self.share is None else self.share * whole

    def __str__(self) -> str:
        return f"{self.count:,}" if self.share is None else f"{float(self.share * 100):g}%"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one comes: so many requests, or so long."""

    requests: int | None = None
    span_us: int = 0


@dataclass(frozen=True, slots=True)
class OnePer:
    """An attribute that so many accounts share."""

    accounts: int


@dataclass(frozen=True, slots=True)
class Session:
    """To which sessions an account's requests belong."""

    name: str | None = None
    """One for all, so called."""
    requests: int | None = None
    """A new one after so many of the account's requests; None: the account has one."""


Attribute = str | int | float | bool | tuple[str, ...] | OnePer


def _span_us(text: str) -> int:
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise NotUnderstood(
            f"{shown(text)} is not a span of time. Write a whole number and seconds, minutes, "
            "hours, days or weeks: 2 days, 90 minutes, 30s, 48h."
        )
    span_us = int(match[1]) * _SPAN_SECONDS[match[2][0]] * SECOND_US
    if not 0 < span_us <= LONGEST_US:
        raise NotUnderstood(f"{shown(text)} is out of bounds. Write 1 second to 366 days.")
    return span_us


def _each(text: str) -> Rate:
    written = rate(text)
    if written.unit is not Unit.REQUESTS:
        raise NotUnderstood(
            f"{shown(f'each: {text}')} is not how often an account asks. Write requests and a "
            "window: 25 requests/day, 2 requests/second."
        )
    return written


def _accounts(text: str) -> int:
    number = amount(text)
    if number > MAX_ACCOUNTS:
        raise NotUnderstood(f"{shown(text)} accounts are too many. The most is {MAX_ACCOUNTS:,}.")
    return number


def _tokens(text: str) -> int:
    number = 0 if text.strip() == "0" else amount(text)
    if number > MAX_TOKENS:
        raise NotUnderstood(f"{shown(text)} tokens are too many. The most is {MAX_TOKENS:,}.")
    return number


def _number(text: str) -> int:
    """With `k`, `M` or `G`; 0 is one, too."""
    return int(text) if text.strip("0") == "" else amount(text)


def _part(text: str) -> Part:
    written = text.strip()
    if match := _SHARE.fullmatch(written):
        share = Fraction(match[1]) / 100
        if share <= 1:
            return Part(share=share)
    elif match := _COUNT.fullmatch(written):
        return Part(count=_number(match[1]))
    raise NotUnderstood(
        f"{shown(text)} is neither a number of requests nor a share of them. Write 60, or 5%."
    )


def _reach(text: str) -> Reach:
    written = text.strip()
    if match := _COUNT.fullmatch(written):
        return Reach(requests=_number(match[1]))
    if _SPAN.fullmatch(written):
        return Reach(span_us=_span_us(written))
    raise NotUnderstood(
        f"{shown(text)} is neither a number of requests nor a span of time. Write 600 requests, "
        "or 2 hours."
    )


def _reach_in_requests(text: str) -> Reach:
    reach = _reach(text)
    if reach.requests is None:
        raise NotUnderstood(
            f'"after" counts requests; {shown(text)} is a time. Write {{at least: {text}}}, '
            f"{{at most: {text}}}, or both."
        )
    return reach


def _prompt(text: str) -> str:
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in PLACEHOLDERS:
            raise NotUnderstood(
                f"{shown(match[0])} means nothing in a prompt. In braces: "
                f"{allowed_words(match[1], PLACEHOLDERS)}"
            )
    return text


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None or len(text) > NAME_CHARACTERS:
        raise NotUnderstood(
            f"{shown(f'name: {text}')} is not a name. Write a-z, 0-9 and hyphens, at most "
            f"{NAME_CHARACTERS} characters."
        )
    return text


def _title(text: str) -> str:
    written = " ".join(text.split())
    if not written:
        raise NotUnderstood('"scenario" is empty. Write one sentence that says what holds.')
    return written


def _begins_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NotUnderstood(
            f"{shown(text)} is not a moment. Write a date and time: 2026-06-01T09:00:00Z."
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = int(moment.timestamp())
    if not 0 <= seconds < 10**11:
        raise NotUnderstood(f"{shown(text)} is out of bounds. Write a moment after 1970.")
    return seconds * SECOND_US


def _truth(value: object) -> bool:
    if value is not True:
        raise NotUnderstood(
            '"never_refused" is true or is not written. For the contrary: refused: {at least: 1}.'
        )
    return True


def _attribute(value: object) -> Attribute:
    if isinstance(value, str):
        if match := _ONE_PER.fullmatch(value.strip()):
            return OnePer(int(match[1] or 1))
        if value.strip().startswith("one per"):
            raise NotUnderstood(
                f"{shown(value)} is not understood. Write one per account, or one per 5 accounts."
            )
        return value
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise NotUnderstood(
        f"An attribute is a text, a number, true, false or a list of texts, not {kind(value)}."
    )


def _session(text: str) -> Session:
    written = text.strip()
    if match := _PER_SESSION.fullmatch(written):
        return Session(requests=None if match[2] == "account" else int(match[1] or 1))
    if written.startswith("one per") or not 0 < len(written) <= NAME_CHARACTERS:
        raise NotUnderstood(
            f"{shown(f'session: {text}')} is not understood. Write one per account, one per 50 "
            f"requests, or an id of at most {NAME_CHARACTERS} characters."
        )
    if not (written.isascii() and written.isprintable()):
        raise NotUnderstood(f"{shown(text)} is no id of a session: write plain letters and digits.")
    return Session(name=written)


def bounds(value: object) -> object:
    """`refused: 35` means exactly so many."""
    return value if isinstance(value, dict) else {"exactly": value}


def distances(value: object) -> object:
    """`first_refusal: 600 requests` means after exactly so many."""
    return value if isinstance(value, dict) else {"after": value}


def _schema(*examples: str | int, pattern: str, least: int = 0) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": least},
                {"type": "string", "pattern": rf"^\s*(?:{pattern})\s*$"},
            ],
            "examples": list(examples),
        }
    )


_AMOUNT = r"[0-9_]+[kMG]?"

Span = Annotated[
    int,
    PlainValidator(from_text("for", _span_us)),
    WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*{_SPAN.pattern}\s*$", "examples": ["2 days", "90m"]}
    ),
]
Each = Annotated[
    Rate,
    PlainValidator(from_text("each", _each)),
    WithJsonSchema({"type": "string", "examples": ["25 requests/day", "2 requests/second"]}),
]
Accounts = Annotated[
    int, PlainValidator(from_text("accounts", _accounts)), _schema(40, pattern=_AMOUNT, least=1)
]
TokenCount = Annotated[
    int, PlainValidator(from_text("tokens", _tokens)), _schema(500, "2k", pattern=_AMOUNT)
]
Seed = Annotated[int, PlainValidator(from_text("seed", _number)), _schema(1, pattern=_AMOUNT)]
Bound = Annotated[
    Part,
    PlainValidator(from_text("refused", _part)),
    _schema(60, "5%", pattern=rf"{_COUNT.pattern}|{_SHARE.pattern}"),
]
Distance = Annotated[
    Reach,
    PlainValidator(from_text("first_refusal", _reach)),
    _schema("600 requests", "2 hours", pattern=rf"{_COUNT.pattern}|{_SPAN.pattern}"),
]
Requests = Annotated[
    Reach,
    PlainValidator(from_text("first_refusal", _reach_in_requests)),
    _schema("600 requests", pattern=_COUNT.pattern),
]
Prompt = Annotated[
    str,
    PlainValidator(from_text("prompt", _prompt)),
    WithJsonSchema({"type": "string", "examples": ["Label this headline: {sentence}"]}),
]
Name = Annotated[
    str,
    PlainValidator(from_text("name", _name)),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"}),
]
Title = Annotated[
    str,
    PlainValidator(from_text("scenario", _title)),
    WithJsonSchema({"type": "string", "pattern": r"\S"}),
]
Moment = Annotated[
    int,
    PlainValidator(from_text("begins", _begins_us)),
    WithJsonSchema({"type": "string", "examples": ["2026-06-01T09:00:00Z"]}),
]
SessionText = Annotated[
    Session,
    PlainValidator(from_text("session", _session)),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"\S",
            "examples": ["one per account", "one per 50 requests", "night-run"],
        }
    ),
]
Truth = Annotated[bool, PlainValidator(_truth), WithJsonSchema({"const": True})]
AttributeText = Annotated[
    Attribute,
    PlainValidator(_attribute),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {"type": "array", "items": {"type": "string"}},
            ],
            "examples": ["free", "one per 5 accounts"],
        }
    ),
]

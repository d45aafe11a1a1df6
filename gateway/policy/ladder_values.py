"""The values of ladders, scores and exemptions: text as it was written becomes what it means.

Each raises `NotUnderstood` with a message for people. The JSON schemas are for editors.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from gateway.policy.behaviour import DAY_US, HOUR_US, Rung
from gateway.policy.behaviour_values import (
    one_or_list,
    one_or_more,
    text_schema,
    whole,
    whole_schema,
)
from gateway.policy.factor import factor
from gateway.policy.quota import SECOND_US, Unit
from gateway.policy.rate import NotUnderstood, Rate, amount, duration_us, rate
from gateway.policy.written_values import from_text
from gateway.source.wording import allowed_words, shown

MIN_HALF_LIFE_US, MAX_HALF_LIFE_US = HOUR_US, 30 * DAY_US
MIN_BLOCK_US, MAX_BLOCK_US = 60 * SECOND_US, 365 * DAY_US

_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_TAKEN_HEADERS = ("authorization", "host", "content-length", "content-type", "connection", "cookie",
                  "transfer-encoding", "te", "upgrade", "expect", "x-api-key")  # fmt: skip
_URL = re.compile(r"https?://[!-~]{1,2000}")
_PER_DAY = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)% per day")
_MOMENT_EXAMPLE = "2027-03-01, or 2027-03-01T12:00:00Z"


def _between(key: str, least_us: int, most_us: int, words: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = duration_us(text)
        if not least_us <= found <= most_us:
            raise NotUnderstood(f"{shown(f'{key}: {text}')} is out of bounds. Allowed: {words}.")
        return found

    return read


def _clamp(value: object) -> tuple[int, int]:
    pair = value if isinstance(value, list) else []
    numbers = [one for one in pair if isinstance(one, int) and not isinstance(one, bool)]
    if len(numbers) != 2 or len(pair) != 2 or not -1_000 <= numbers[0] < numbers[1] <= 1_000:  # noqa: PLR2004
        raise NotUnderstood(
            '"clamp" is the least and the most that a score can be: [0, 100]. Both whole, between '
            "-1,000 and 1,000, the smaller one first."
        )
    return numbers[0], numbers[1]


_RUNGS = {rung.word: rung for rung in Rung if rung is not Rung.NONE}


def _rung(key: str) -> Callable[[str], Rung]:
    def read(text: str) -> Rung:
        if text not in _RUNGS:
            raise NotUnderstood(
                f"{shown(f'{key}: {text}')} is no response. {allowed_words(text, _RUNGS)}"
            )
        return _RUNGS[text]

    return read


def _header(text: str) -> str:
    name = text.strip().lower()
    if _HEADER.fullmatch(name) is None:
        raise NotUnderstood(
            f"{shown(f'header: {text}')} is not the name of a header. Write letters, digits and "
            "hyphens: x-abuse-tier."
        )
    if name in _TAKEN_HEADERS:
        raise NotUnderstood(f"{shown(name)} has a meaning already. Choose another: x-abuse-tier.")
    return name


def _url(text: str) -> str:
    if _URL.fullmatch(text.strip()) is None:
        raise NotUnderstood(f"{shown(text)} is not an address. Write https://...")
    return text.strip()


def _left(text: str) -> Fraction:
    found = factor(text)
    if not 0 < found <= 1:
        raise NotUnderstood(
            f"{shown(f'scale: {text}')} is what is left of the quotas: more than 0, at most 1."
        )
    return found


def _fleet(text: str) -> Rate:
    found = rate(text)
    if found.unit in (Unit.CONCURRENT, Unit.MICRO_USD):
        raise NotUnderstood(
            f"{shown(f'fleet: {text}')} is not what a fleet can share. Write requests or tokens "
            "and a window: 200 requests/day, 1M tokens/day."
        )
    return found


def _until_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NotUnderstood(f"{shown(text)} is not a moment. Write {_MOMENT_EXAMPLE}.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_US


def _owner(text: str) -> str:
    written = " ".join(text.split())
    if not 0 < len(written) <= 200:  # noqa: PLR2004  a name or an address, not a story
        raise NotUnderstood('"owner" is who answers for this: sre@example.com.')
    return written


def _exempt(text: str) -> str:
    if not text.strip():
        raise NotUnderstood("This is empty. Write whom the exemption is about, or delete the key.")
    return text.strip()


def _share_per_day(text: str) -> float:
    match = _PER_DAY.fullmatch(text.strip())
    share = float(match[1]) / 100 if match else 0.0
    if not 0 < share <= 1:
        raise NotUnderstood(
            f"{shown(text)} is not a share of the accounts of a day. Write for example 0.5% per "
            "day: more than 0%, at most 100%."
        )
    return share


def _strip(text: str) -> str:
    if text not in ("logprobs", "reasoning"):
        allowed = allowed_words(text, ("logprobs", "reasoning"))
        raise NotUnderstood(f"{shown(f'strip: {text}')} cannot be taken out. {allowed}")
    return text


def _ceiling(text: str) -> int:
    number = amount(text)
    if number > 10_000_000:  # noqa: PLR2004  as a quota's and a scenario's
        raise NotUnderstood(f"{shown(text)} tokens are no ceiling. The most is 10,000,000.")
    return number


_DURATION = r"^\s*[0-9]{1,9}[smhd]\s*$"

HalfLife = Annotated[
    int,
    PlainValidator(
        from_text(
            "half_life", _between("half_life", MIN_HALF_LIFE_US, MAX_HALF_LIFE_US, "1h to 30d")
        )
    ),
    text_schema("36h", pattern=_DURATION),
]
Clamp = Annotated[
    tuple[int, int],
    PlainValidator(_clamp),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "integer", "minimum": -1_000, "maximum": 1_000},
            "minItems": 2,
            "maxItems": 2,
            "examples": [[0, 100]],
        }
    ),
]


_RUNG_SCHEMA = WithJsonSchema({"type": "string", "enum": list(_RUNGS)})
Do = Annotated[Rung, PlainValidator(from_text("do", _rung("do"))), _RUNG_SCHEMA]
SharedCap = Annotated[
    Rung,
    PlainValidator(from_text("shared_evidence_cap", _rung("shared_evidence_cap"))),
    _RUNG_SCHEMA,
]
Independent = Annotated[
    int,
    PlainValidator(from_text("independent_for_block", whole("independent_for_block", 1, 10))),
    whole_schema(1, 10),
]
Hysteresis = Annotated[
    int, PlainValidator(from_text("hysteresis", whole("hysteresis", 0, 50))), whole_schema(0, 50)
]
At = Annotated[int, PlainValidator(from_text("at", whole("at", 1, 1_000))), whole_schema(1, 1_000)]
Choices = Annotated[
    int, PlainValidator(from_text("n", whole("n", 1, 1_000))), whole_schema(1, 1_000)
]
Header = Annotated[
    str,
    PlainValidator(from_text("header", _header)),
    text_schema("x-abuse-tier", pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9-]*\s*$"),
]
Url = Annotated[
    str,
    PlainValidator(from_text("url", _url)),
    text_schema("https://console.example.com/verify", pattern=r"^\s*https?://"),
]
Left = Annotated[
    Fraction,
    PlainValidator(from_text("scale", _left)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^\s*[0-9.]+\s*$"},
            ],
            "examples": [0.25],
        }
    ),
]
FleetBudget = Annotated[
    Rate,
    PlainValidator(from_text("fleet", _fleet)),
    text_schema("200 requests/day", "5 requests/hour", "1M tokens/day"),
]
Ceiling = Annotated[
    int,
    PlainValidator(from_text("max_tokens", _ceiling)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 10_000_000},
                {"type": "string", "pattern": r"^\s*[0-9_]+[kMG]?\s*$"},
            ],
            "examples": [1024],
        }
    ),
]
Stripped = Annotated[
    tuple[Annotated[str, PlainValidator(from_text("strip", _strip))], ...],
    one_or_more("strip"),
    one_or_list({"type": "string", "enum": ["logprobs", "reasoning"]}),
]
_block = _between("for", MIN_BLOCK_US, MAX_BLOCK_US, "1m to 365d")
BlockTime = Annotated[
    int, PlainValidator(from_text("for", _block)), text_schema("24h", pattern=_DURATION)
]
BlockTimes = Annotated[
    tuple[Annotated[int, PlainValidator(from_text("then", _block))], ...],
    one_or_more("then"),
    one_or_list({"type": "string", "pattern": _DURATION, "examples": ["7d"]}),
]
Until = Annotated[
    int,
    PlainValidator(from_text("until", _until_us)),
    text_schema("2027-03-01", "2027-03-01T12:00:00Z"),
]
Owner = Annotated[str, PlainValidator(from_text("owner", _owner)), text_schema("sre@example.com")]


Exempt = Annotated[
    str,
    PlainValidator(from_text("exemptions", _exempt)),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"\S"}),
]
SharePerDay = Annotated[
    float,
    PlainValidator(from_text("blocked_accounts", _share_per_day)),
    text_schema("0.5% per day", pattern=rf"^\s*{_PER_DAY.pattern}\s*$"),
]

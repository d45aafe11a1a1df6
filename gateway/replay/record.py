"""One line of a traffic file, as far as gauger reads it.

Fields that it does not know are passed over, so that a file may carry more. `label` is the ground
truth of whoever made the file: it goes into the report and is shown to no policy.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from gateway.decision.hand import UNTOUCHED, Hand
from gateway.facts.usage import MAX_TOKENS, UNREPORTED, Usage
from gateway.replay.recorded_decision import RecordedDecision
from gateway.replay.recorded_standing import RecordedStanding

LATEST_AT_S = 10**11
"""The year 5138. More means milliseconds."""

Tokens = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
Seconds = Annotated[float, Meta(ge=0, le=LATEST_AT_S)]
Attribute = str | int | float | bool | list[str] | None


class RecordedUsage(Struct, frozen=True, omit_defaults=True):
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cached_tokens: Tokens | None = None
    cache_write_tokens: Tokens | None = None
    reasoning_tokens: Tokens | None = None

    def reported(self) -> Usage:
        return Usage(
            self.input_tokens,
            self.output_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.reasoning_tokens,
        )


def recorded_usage(usage: Usage) -> RecordedUsage | None:
    if usage == UNREPORTED:
        return None
    return RecordedUsage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )


class RecordedAnswer(Struct, frozen=True):
    """What the model API said when it was really asked."""

    status: Annotated[int, Meta(ge=100, le=599)] = 200
    usage: RecordedUsage | None = None
    duration: Seconds = 0.0
    """Until the answer had ended, in seconds."""

    @property
    def failed(self) -> bool:
        return self.status >= 400  # noqa: PLR2004  HTTP's own boundary

    @property
    def tokens(self) -> int:
        """In and out, as far as they were reported."""
        usage = self.usage
        return 0 if usage is None else (usage.input_tokens or 0) + (usage.output_tokens or 0)

    def reported(self) -> Usage:
        return UNREPORTED if self.usage is None else self.usage.reported()


UNTOLD = RecordedAnswer()
"""Of an answer of which the record says nothing."""


class Record(Struct, frozen=True):
    """One exchange as it was recorded."""

    at: Seconds
    """When it arrived, in seconds since the epoch."""
    account: Annotated[str, Meta(min_length=1, max_length=256)]
    path: str
    method: str = "POST"
    attributes: dict[str, Attribute] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Raw = Raw(b"")
    """Unread JSON: what is in it is for the dialect."""
    response: RecordedAnswer = UNTOLD
    label: str | None = None
    id: str | None = None
    """What follows is written by a live gauger alone (`replay.events`). By its id events name an
    exchange; where there is one, what came of it stands in events, and `response` says nothing."""
    facts: Raw = Raw(b"")
    """`replay.carried`; they take the place of the body."""
    decision: RecordedDecision | None = None
    hand: Hand = UNTOUCHED
    """An operator's, as the store told it when this was decided."""
    standing: RecordedStanding | None = None
    """What behaviour policies held against it."""
    rejected: str | None = None
    """The kind of refusal, where no policy was asked."""

    @property
    def at_us(self) -> int:
        return round(self.at * 1_000_000)


decode = msgspec.json.Decoder(Record).decode
"""A line to a record. Raises `msgspec.DecodeError`, whose text repeats no value of the line."""

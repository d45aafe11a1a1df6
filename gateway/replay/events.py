"""What a live gauger writes between the records of exchanges: what came of them, what it was told.

A recording is a traffic file whose lines stand in the order in which the store did things: an
exchange when it was decided, then, in lines of their own, whatever came of it. All moments are the
store's clock. An event has its name first in its line, by which it is told from an exchange.
"""

from typing import Any

import msgspec
from msgspec import Struct

from gateway.decision.hand import UNTOUCHED, Hand
from gateway.replay.record import RecordedUsage, Seconds, Tokens

EVENT = b'{"event"'
"""How the line of an event begins."""


class Event(Struct, frozen=True, omit_defaults=True, tag_field="event"):
    at: Seconds

    @property
    def at_us(self) -> int:
        return round(self.at * 1_000_000)


class Begin(Event, frozen=True, tag="begin"):
    """The first line of each file."""

    run: str
    """A process has one, whatever the number of its files."""
    part: int
    """Of the run; the first is 0."""
    store: str
    """`memory`: nothing was counted before the run began."""
    gauger: str
    """Its version."""


class InForce(Event, frozen=True, tag="policies"):
    """These are in force from now on; at the beginning of each file, too."""

    digest: str
    texts: dict[str, str]
    """Of all policy files, by their names."""


class MoreReserved(Event, frozen=True, tag="extend"):
    """A stream outgrew its reservation."""

    id: str
    tokens: int
    refusal: str | None = None
    """None: it was granted."""
    retry_after_us: int | None = None
    store: str = "ok"
    hand: Hand = UNTOUCHED


class Renewed(Event, frozen=True, tag="renew"):
    id: str


class Ended(Event, frozen=True, tag="end"):
    """It was settled with this."""

    id: str
    began: bool = True
    """The request may have reached the model."""
    failed: bool = False
    delivered: Tokens = 0
    """Tokens of output that passed."""
    aborted: bool = False
    status: int | None = None
    usage: RecordedUsage | None = None
    parts: int = 1
    """Into how many reservations: this line is the moment of the first."""


class FurtherSettled(Event, frozen=True, tag="part"):
    """The next reservation of an exchange that has ended."""

    id: str


class WasReset(Event, frozen=True, tag="reset"):
    """An operator forgave what an account had used."""

    account: str
    meters: tuple[str, ...]


class StoreAway(Event, frozen=True, tag="away"):
    """From here on, until a decision says that the store is there, this gauger decided alone."""

    kind: str


class Dropped(Event, frozen=True, tag="dropped"):
    """So many lines are missing here."""

    count: int


AnyEvent = (
    Begin
    | InForce
    | MoreReserved
    | Renewed
    | Ended
    | FurtherSettled
    | WasReset
    | StoreAway
    | Dropped
)

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)


def decode_event(line: bytes) -> AnyEvent:
    """Raises `msgspec.DecodeError`, whose text repeats no value of the line."""
    event: AnyEvent = _decoder.decode(line)
    return event

"""A request before it has a dialect, who sends it, and when somebody is active."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.replay.record import Attribute

DAY_S = 86_400.0
HOUR_S = 3_600.0


class Turn(NamedTuple):
    role: str
    """`user`, `assistant`, or `tool` for what a tool answered."""
    text: str
    tool: str | None = None
    """The tool that an assistant's turn calls, or that answered."""


class Draft(NamedTuple):
    """What is about to be sent."""

    at_s: float
    turns: Sequence[Turn]
    """The history, with what is asked now as the last. None at all: nothing is sent this time."""
    output_tokens: int
    system: str | None = None
    tools: tuple[str, ...] = ()
    ceiling: int | None = None
    stream: bool = False
    end_user: str | None = None
    model: str | None = None
    """None: the one that its sender always asks."""
    network: str | None = None
    """None: the sender's own; else this exchange comes from there."""
    address: str | None = None
    cover: bool = False
    """Sent by a campaign only to look honest."""


@dataclass(slots=True)
class Sender:
    """One account with its client."""

    id: str
    label: str
    dialect: str
    model: str
    headers: dict[str, str]
    attributes: dict[str, Attribute]
    pivots_at_s: float | None = None
    """From then on it asks `new_model`."""
    new_model: str = ""
    active_from_s: float = 0.0
    """An account sends nothing before it was made."""
    retired: bool = field(default=False)
    """It sends nothing more: whoever used it has given it up."""


@dataclass(frozen=True, slots=True)
class Span:
    begin_s: float
    end_s: float

    @property
    def days(self) -> float:
        return (self.end_s - self.begin_s) / DAY_S

    def after(self, at_s: float) -> "Span":
        return Span(max(self.begin_s, at_s), self.end_s)


Behaviour = Callable[[Sender, Span], Iterator[Draft]]
"""All requests of one account, in the order of time."""


@dataclass(frozen=True, slots=True)
class Member:
    sender: Sender
    behave: Behaviour


def user(text: str) -> tuple[Turn, ...]:
    """A request without a history."""
    return (Turn("user", text),)

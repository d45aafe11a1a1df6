"""The scripted model API's own books: what was really asked of it, written and sent.

Tests and the demo judge gauger by it: tokens charged must be the tokens in here. It holds no
prompt, no answer and no credential.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CREDENTIALS = ("authorization", "x-api-key", "x-goog-api-key")
TEXT_FIELDS = frozenset(
    {"messages", "system", "tools", "prompt", "input", "contents", "systemInstruction"}
)


class Ending(StrEnum):
    COMPLETED = "completed"
    """The whole answer was sent, errors included."""
    CLIENT_LEFT = "client_left"
    TRUNCATED = "truncated"
    """Broken off, as scripted."""
    STOPPED = "stopped"
    """The model API itself was stopped."""


@dataclass(slots=True)
class Entry:
    """One request as the model API saw it."""

    number: int
    """In order of arrival, from 0."""
    method: str
    path: str
    headers: dict[str, str]
    """The value of a credential is replaced by a short hash: equal keys remain recognisable."""
    options: dict[str, Any] = field(default_factory=dict)
    """The fields of the body that hold no text."""
    status: int | None = None
    """None while no head was sent."""
    input_tokens: int = 0
    """Read by the model."""
    output_tokens: int = 0
    """Written by the model so far, reasoning included."""
    delivered_tokens: int = 0
    """Of these, sent to the client so far."""
    events_sent: int = 0
    ending: Ending | None = None
    """None while it is in flight."""

    @property
    def credential(self) -> str | None:
        """The hash of what was presented."""
        return next((self.headers[n] for n in CREDENTIALS if n in self.headers), None)


class Ledger:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.max_in_flight = 0
        self._changed = asyncio.Event()

    @property
    def in_flight(self) -> int:
        return sum(entry.ending is None for entry in self.entries)

    @property
    def served(self) -> list[Entry]:
        """What a model worked on: neither refused nor a mere question about models."""
        return [entry for entry in self.entries if entry.output_tokens]

    def received(self, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Entry:
        entry = Entry(len(self.entries), method, path, _redacted(headers))
        self.entries.append(entry)
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.note()
        return entry

    def note(self) -> None:
        """Something has changed: whoever waits in `until` looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[["Ledger"], bool]) -> None:
        """Returns as soon as it holds. Give it a deadline by `asyncio.timeout`."""
        while not holds(self):
            await self._changed.wait()

    async def ended(self, number: int) -> Entry:
        """The entry, once its request is over."""
        await self.until(
            lambda ledger: (
                len(ledger.entries) > number and ledger.entries[number].ending is not None
            )
        )
        return self.entries[number]


def options_of(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in TEXT_FIELDS}


def digest(credential: str) -> str:
    """How a credential appears in `Entry.headers`."""
    return f"sha256:{hashlib.sha256(credential.encode()).hexdigest()[:12]}"


def _redacted(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    readable = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return {
        name: digest(value.removeprefix("Bearer ")) if name in CREDENTIALS else value
        for name, value in readable
    }

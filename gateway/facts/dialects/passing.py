"""A model's answer as it passes: what is noted of it, and which events are kept from the client.

The dialects say what an event means; here is how events pass. Nothing is changed in what goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from gateway.facts.dialects.port import Answered
from gateway.facts.estimate import output_tokens
from gateway.facts.event_stream import MAX_EVENT_BYTES, Event, EventStream
from gateway.facts.json_text import read_tolerantly
from gateway.facts.usage import UNREPORTED, Usage, most_output_tokens

_LABEL_CHARACTERS = 256
"""Of what an upstream calls itself, its answers and their ends; longer is no label."""

_MOST_CHOICES = 128

_DEEPEST = 128
"""Of what strict JSON rejects. Answers have some ten levels, log probabilities included."""

_FIELDS = (b"", b"data", b"event", b"id", b"retry")
"""With which an event begins; a comment's is empty."""

_LAST_WORD = b"[DONE]"


@dataclass(slots=True)
class Seen:
    """What is known of an answer so far. Counts and labels; no text."""

    usage: Usage = UNREPORTED
    text_bytes: int = 0
    counted_tokens: int = 0
    """Of output, as the model API itself counts while it writes, where it does: not final."""
    model: str | None = None
    response_id: str | None = None
    finish_reasons: dict[int, str] = field(default_factory=dict)
    """By the index of the choice."""
    complete: bool = False
    failed: bool = False

    def note_labels(self, source: Mapping[str, Any]) -> None:
        self.model = label(source.get("model")) or self.model
        self.response_id = label(source.get("id")) or self.response_id

    def object_in(self, event: Event) -> dict[str, Any] | None:
        """What an event tells. Where it has data that nobody can read, that counts as text.

        What is no event is read as well: some servers send errors as bare JSON, or a whole answer
        where a stream was asked for.
        """
        written = event.raw.rstrip(b"\r\n")  # how long its end is depends on the cuts
        data = event.data or (b"" if _first_field(event.raw) in _FIELDS else written)
        if not data or data.startswith(_LAST_WORD):
            return None
        told = json_object(data)
        if told is None:
            self.text_bytes += len(data)
        return told

    def note_finish(self, index: int, reason: object) -> None:
        named = label(reason)
        if named and (index in self.finish_reasons or len(self.finish_reasons) < _MOST_CHOICES):
            self.finish_reasons[index] = named

    @property
    def output_tokens(self) -> int:
        """Over all choices, so far."""
        written = output_tokens(self.text_bytes)
        counted = self.counted_tokens
        return max(written, counted) if counted <= most_output_tokens(written) else written

    def answered(self) -> Answered:
        return Answered(
            usage=self.usage,
            output_tokens_seen=self.output_tokens,
            model=self.model,
            response_id=self.response_id,
            finish_reasons=tuple(self.finish_reasons[i] for i in sorted(self.finish_reasons)),
            complete=self.complete,
            failed=self.failed,
        )


def _first_field(raw: bytes) -> bytes:
    return raw.lstrip().partition(b"\n")[0].partition(b":")[0].strip()


class EventReader(Protocol):
    """One dialect's understanding of its events."""

    seen: Seen

    def read(self, event: Event) -> bool:
        """Notes what the event tells. True if it is to be withheld from the client."""
        ...


class NothingToRead:
    """The reader of a stream where none is expected: it passes, and tells nothing."""

    def __init__(self) -> None:
        self.seen = Seen()

    def read(self, event: Event) -> bool:  # noqa: ARG002  whatever it is
        return False


class WatchedStream:
    """Passes a stream on through an `EventReader`.

    Where nothing can be withheld the very bytes go on at once. Otherwise whole events do, and only
    the beginning of an event that is not whole yet waits.
    """

    def __init__(
        self,
        reader: EventReader,
        *,
        may_withhold: bool,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._reader = reader
        self._may_withhold = may_withhold
        self._events = EventStream(max_event_bytes)
        self._withheld_last = False

    def feed(self, data: bytes) -> bytes:
        passed = [event.raw for event in self._events.feed(data) if self._passes(event)]
        return b"".join(passed) if self._may_withhold else data

    def finish(self) -> bytes:
        rest = self._events.rest()
        passes = self._passes(rest)
        return rest.raw if self._may_withhold and passes else b""

    @property
    def answered(self) -> Answered:
        return self._reader.seen.answered()

    @property
    def output_tokens_seen(self) -> int:
        return self._reader.seen.output_tokens

    def _passes(self, event: Event) -> bool:
        if not event.continues:
            self._withheld_last = self._reader.read(event)
        return not self._withheld_last


def json_object(data: bytes) -> dict[str, Any] | None:
    """None for what is no JSON object. Never raises, whatever an upstream sends.

    What strict JSON rejects is read all the same: clients do, and it was written.
    """
    try:
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        value = read_tolerantly(data, max_depth=_DEEPEST)
    return value if isinstance(value, dict) else None


def label(value: object) -> str | None:
    """A short name as it stands in JSON; anything else is none."""
    return value if isinstance(value, str) and 0 < len(value) <= _LABEL_CHARACTERS else None


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a JSON array; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def inner(source: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object under a key; empty for anything else."""
    value = source.get(name)
    return value if isinstance(value, dict) else {}

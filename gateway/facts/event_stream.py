"""Server-sent events, split as their bytes arrive (WHATWG HTML, section 9.2).

Nothing is changed: the raw bytes of all events, joined, are the bytes that came in. Memory is
bounded: an event longer than the cap is passed on in pieces and not read. Never raises.
"""

import re
from dataclasses import dataclass

MAX_EVENT_BYTES = 2**20
"""A delta has some hundred bytes; a server that sends a whole answer as one event still fits."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_EVENT_END = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
"""The end of a line and an empty line. Atomic, or CR LF alone would be read as two ends."""

_LONGEST_END = 4


@dataclass(frozen=True, slots=True)
class Event:
    raw: bytes
    """As it came, with the empty line that ends it."""
    name: str = ""
    """Its `event` field; empty if it has none."""
    data: bytes = b""
    """Its `data` lines, joined by line feeds; empty for comments, and for what is too long."""
    continues: bool = False
    """More of the event before, not an event of its own: a piece of one that is too long, or the
    line feed of a CR LF that was cut in two."""


class EventStream:
    """Feed it bytes cut anywhere; it gives back whole events."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._pending = bytearray()
        self._searched = 0
        """No event ends in the pending bytes before this."""
        self._too_long = False
        """The pending bytes are the rest of an event whose beginning was given back already."""
        self._ended_by_cr = False
        """The last byte given back was a CR that ended an event: a line feed belongs to it."""
        self._begun = False

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        if self._ended_by_cr and data:
            self._ended_by_cr = False
            if data.startswith(b"\n"):
                events.append(Event(b"\n", continues=True))
                data = data[1:]
        self._pending += data
        begin = 0
        while end := _EVENT_END.search(self._pending, max(begin, self._searched)):
            events.append(self._whole(bytes(self._pending[begin : end.end()]), end.start() - begin))
            begin = end.end()
        if begin:
            del self._pending[:begin]
            self._ended_by_cr = not self._pending and events[-1].raw.endswith(b"\r")
        if len(self._pending) > self._max_event_bytes + _LONGEST_END:
            events.append(self._piece())
        self._searched = max(0, len(self._pending) - _LONGEST_END)
        return events

    def rest(self) -> Event:
        """The stream has ended: what came after the last whole event, read as if it were one."""
        raw = bytes(self._pending)
        self._pending.clear()
        self._searched = 0
        return self._whole(raw, len(raw))

    def _whole(self, raw: bytes, length: int) -> Event:
        """`length` is without the end, which is longer or shorter depending on where it is cut."""
        if self._too_long:
            self._too_long = False
            return Event(raw, continues=True)
        first, self._begun = not self._begun, True
        if length > self._max_event_bytes:
            return Event(raw)
        name, data = _fields(raw.removeprefix(_BYTE_ORDER_MARK) if first else raw)
        return Event(raw, name, data)

    def _piece(self) -> Event:
        """All but the last bytes, in which the end may have begun."""
        raw = bytes(self._pending[:-_LONGEST_END])
        del self._pending[:-_LONGEST_END]
        event = Event(raw, continues=self._too_long)
        self._too_long = self._begun = True
        return event


def _fields(raw: bytes) -> tuple[str, bytes]:
    name = b""
    data: list[bytes] = []
    for line in raw.splitlines():
        field, _, value = line.partition(b":")  # a comment's field is empty
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return name.decode(errors="replace"), b"\n".join(data)

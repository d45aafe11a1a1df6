"""What the tests of both dialects need: recorded answers, ways to cut them, and quotas to show."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.facts.dialects.port import Answer, Answered, Dialect, Headers
from gateway.facts.exchange import Ask, Route
from gateway.facts.refusal import QuotaState

RECORDED = Path(__file__).parent / "recorded"

SECOND_US = 1_000_000
NOW_US = 1_767_225_600 * SECOND_US  # 2026-01-01T00:00:00Z

ASKED = Ask(model="m", stream=True, wants_usage_chunk=True)
NOT_ASKED = Ask(model="m", stream=True)


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def events(*data: object, end: str = "\n\n") -> bytes:
    """An event stream; each event is JSON, or text as it stands."""
    return "".join(
        f"data: {item if isinstance(item, str) else json.dumps(item)}{end}" for item in data
    ).encode()


def named_events(*data: dict[str, Any]) -> bytes:
    return "".join(f"event: {item['type']}\ndata: {json.dumps(item)}\n\n" for item in data).encode()


def watch(dialect: Dialect, route: Route, ask: Ask, *pieces: bytes) -> tuple[bytes, Answered]:
    """What a client gets of a stream that arrives in these pieces, and what is known then."""
    watching = dialect.watch_stream(route, ask)
    passed = b"".join(watching.feed(piece) for piece in pieces) + watching.finish()
    return passed, watching.answered


def cuts(data: bytes) -> Iterator[tuple[bytes, ...]]:
    """In two at every byte, and in single bytes."""
    for at in range(len(data) + 1):
        yield data[:at], data[at:]
    yield tuple(data[at : at + 1] for at in range(len(data)))


def header(headers: Headers, name: str) -> str | None:
    """The one value of a header; None if it is not there."""
    values = [value.decode() for found, value in headers if found == name.encode()]
    assert len(values) <= 1, f"{name} stands there {len(values)} times"
    return values[0] if values else None


def document(answer: Answer) -> Any:
    return json.loads(answer.body)


def state(
    unit: str = "requests",
    *,
    limit: int = 60,
    remaining: int = 10,
    name: str = "rpm",
    window_s: int | None = 60,
    full_after_us: int = 30 * SECOND_US,
    retry_after_us: int | None = None,
    refused: bool = False,
    weighted: bool = False,
) -> QuotaState:
    window_us = None if window_s is None else window_s * SECOND_US
    return QuotaState(
        name, unit, limit, remaining, window_us, full_after_us, retry_after_us, refused, weighted
    )

"""Records as lines of a traffic file."""

from typing import Any

import msgspec

from gateway.replay.record import Record, RecordedAnswer

_encode = msgspec.json.Encoder().encode


def line(record: Record) -> bytes:
    """One exchange, with its newline."""
    return _encode(as_dict(record)) + b"\n"


def as_dict(record: Record) -> dict[str, Any]:
    """The body is raw JSON inside; an encoder writes it as it is."""
    return {
        "at": record.at,
        "account": record.account,
        "attributes": record.attributes,
        "method": record.method,
        "path": record.path,
        "headers": record.headers,
        "body": record.body,
        "response": _answer(record.response),
        "label": record.label,
    }


def _answer(answer: RecordedAnswer) -> dict[str, Any]:
    written: dict[str, Any] = {"status": answer.status, "duration": answer.duration}
    usage = answer.usage
    if usage is not None:
        counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        written["usage"] = counts
    return written

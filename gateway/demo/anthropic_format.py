"""The scripted model API in Anthropic's words: messages, counting tokens, errors."""

import json
from collections.abc import Iterator
from typing import Any

from gateway.demo.answers import (
    Answer,
    Asked,
    Choice,
    Event,
    Rejected,
    fingerprint,
    input_tokens,
    tool_call,
)
from gateway.demo.scripts import Fault, JsonObject, ToolCall


def asked(body: JsonObject, *, counting: bool = False) -> Asked:
    """Raises `Rejected` as the real API would refuse. Counting needs no ceiling."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _invalid("messages: Field required")
    model = body.get("model")
    if not isinstance(model, str):
        raise _invalid("model: Field required")
    ceiling = body.get("max_tokens")
    if not counting and (not isinstance(ceiling, int) or ceiling < 1):
        raise _invalid("max_tokens: Field required, at least 1")
    tools = body.get("tools") or []
    system = body.get("system", "")
    return Asked(
        model=model,
        input_tokens=input_tokens(messages, system, tools),
        fingerprint=fingerprint(messages, system, tools),
        stream=bool(body.get("stream")),
        ceiling=ceiling,
        tool=_demanded(tools, body.get("tool_choice") or {}),
    )


def document(answer: Answer) -> Event:
    """The whole message at once."""
    choice = answer.choices[0]
    message = {
        **_message(answer),
        "content": [_block(answer, "".join(choice.pieces))],
        "stop_reason": _stop_reason(choice),
    }
    usage = answer.script.report(_usage(answer))
    if usage is not None:
        message["usage"] = usage
    return Event(json.dumps(message).encode(), answer.output_tokens, answer.shown_tokens)


def events(answer: Answer) -> Iterator[Event]:
    """The message as a stream. Usage comes twice: a guess at its start, the truth at its end."""
    choice = answer.choices[0]
    final = answer.script.report(_usage(answer))
    message = _message(answer)
    if final is not None:
        message["usage"] = {**final, "output_tokens": 1}
    yield Event(_event("message_start", message=message), written=answer.reasoning_tokens)
    opening = _block(answer, "")
    yield Event(_event("content_block_start", index=0, content_block=opening))
    yield Event(_event("ping"))
    for piece in choice.pieces:
        yield Event(
            _event("content_block_delta", index=0, delta=_delta(choice, piece)),
            written=1,
            shown=1,
        )
    yield Event(_event("content_block_stop", index=0))
    ending: JsonObject = {
        "delta": {"stop_reason": _stop_reason(choice), "stop_sequence": None},
    }
    if final is not None:
        ending["usage"] = final
    yield Event(_event("message_delta", **ending))
    yield Event(_event("message_stop"))


def error(fault: Fault) -> JsonObject:
    return {"type": "error", "error": {"type": fault.kind, "message": fault.message}}


def error_event(fault: Fault) -> Event:
    return Event(b"event: error\ndata: " + json.dumps(error(fault)).encode() + b"\n\n")


def count(asked: Asked) -> JsonObject:
    return {"input_tokens": asked.input_tokens}


def _invalid(message: str) -> Rejected:
    return Rejected(400, Fault("invalid_request_error", message))


def _demanded(tools: list[Any], choice: JsonObject) -> ToolCall | None:
    if not tools or choice.get("type") not in ("any", "tool"):
        return None
    by_name = {tool["name"]: tool for tool in tools}
    tool = by_name[choice["name"]] if choice["type"] == "tool" else tools[0]
    return tool_call(tool["name"], tool["input_schema"])


def _message(answer: Answer) -> JsonObject:
    return {
        "id": f"msg_{answer.ident}",
        "type": "message",
        "role": "assistant",
        "model": answer.asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(answer: Answer, text: str) -> JsonObject:
    name = answer.choices[0].tool
    if name is None:
        return {"type": "text", "text": text}
    arguments = json.loads(text) if text and not answer.choices[0].cut else {}
    return {
        "type": "tool_use",
        "id": f"toolu_{answer.ident}",
        "name": name,
        "input": arguments,
    }


def _delta(choice: Choice, piece: str) -> JsonObject:
    if choice.tool is None:
        return {"type": "text_delta", "text": piece}
    return {"type": "input_json_delta", "partial_json": piece}


def _stop_reason(choice: Choice) -> str:
    if choice.cut:
        return "max_tokens"
    return "end_turn" if choice.tool is None else "tool_use"


def _usage(answer: Answer) -> JsonObject:
    """What was read from a cache stands beside the input, not in it."""
    return {
        "input_tokens": answer.asked.input_tokens - answer.cached_tokens,
        "cache_read_input_tokens": answer.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": answer.output_tokens,
    }


def _event(kind: str, **fields: object) -> bytes:
    data = json.dumps({"type": kind, **fields}).encode()
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"

"""The scripted model API in OpenAI's words: chat completions, the list of models, errors."""

import json
from collections.abc import Iterable, Iterator
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

CREATED = 1_700_000_000
"""Of every answer: the model API has no clock."""
MOST_CHOICES = 128
DONE = b"data: [DONE]\n\n"


def asked(body: JsonObject) -> Asked:
    """Raises `Rejected` as the real API would refuse."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _invalid("Missing required parameter: 'messages'.", "messages")
    model = body.get("model")
    if not isinstance(model, str):
        raise _invalid("you must provide a model parameter", "model")
    n = 1 if body.get("n") is None else body["n"]
    if not isinstance(n, int) or not 1 <= n <= MOST_CHOICES:
        raise _invalid("'n' must be between 1 and 128.", "n")
    ceiling = body.get("max_completion_tokens", body.get("max_tokens"))
    if ceiling is not None and (not isinstance(ceiling, int) or ceiling < 1):
        raise _invalid("'max_tokens' must be at least 1.", "max_tokens")
    tools = body.get("tools") or []
    return Asked(
        model=model,
        input_tokens=input_tokens(messages, tools),
        fingerprint=fingerprint(messages, tools),
        stream=bool(body.get("stream")),
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        ceiling=ceiling,
        choices=n,
        tool=_demanded(tools, body.get("tool_choice")),
    )


def document(answer: Answer) -> Event:
    """The whole answer at once."""
    body = {
        **_frame(answer, "chat.completion"),
        "choices": [
            {
                "index": index,
                "message": _message(choice, f"call_{answer.ident}_{index}"),
                "logprobs": None,
                "finish_reason": _finish_reason(choice),
            }
            for index, choice in enumerate(answer.choices)
        ],
    }
    usage = answer.script.report(_usage(answer))
    if usage is not None:
        body["usage"] = usage
    return Event(json.dumps(body).encode(), answer.output_tokens, answer.shown_tokens)


def events(answer: Answer) -> Iterator[Event]:
    """The answer as a stream, its choices taking turns."""
    usage = answer.script.report(_usage(answer)) if answer.asked.include_usage else None
    frame = _frame(answer, "chat.completion.chunk")
    if usage is not None:
        frame["usage"] = None  # as the real one: null in every chunk but the last

    def chunk(index: int, delta: JsonObject, finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**frame, "choices": [choice]})

    thought = answer.reasoning_tokens // len(answer.choices)
    for index, choice in enumerate(answer.choices):
        opening = _opening(choice, f"call_{answer.ident}_{index}")
        yield Event(chunk(index, opening), written=thought)
    for at in range(max(len(choice.pieces) for choice in answer.choices)):
        for index, choice in enumerate(answer.choices):
            if at < len(choice.pieces):
                yield Event(chunk(index, _delta(choice, choice.pieces[at])), written=1, shown=1)
    for index, choice in enumerate(answer.choices):
        yield Event(chunk(index, {}, _finish_reason(choice)))
    if usage is not None:
        yield Event(_event({**frame, "choices": [], "usage": usage}))
    yield Event(DONE)


def error(fault: Fault) -> JsonObject:
    return {
        "error": {
            "message": fault.message,
            "type": fault.kind,
            "param": None,
            "code": fault.code,
        }
    }


def error_event(fault: Fault) -> Event:
    return Event(_event(error(fault)))


def models(names: Iterable[str]) -> JsonObject:
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "demo"}
            for name in names
        ],
    }


def _invalid(message: str, param: str) -> Rejected:
    return Rejected(400, Fault("invalid_request_error", message, f"invalid_{param}"))


def _demanded(tools: list[Any], choice: str | JsonObject | None) -> ToolCall | None:
    named = choice["function"]["name"] if isinstance(choice, dict) else None
    if not tools or (choice != "required" and named is None):
        return None
    functions = {tool["function"]["name"]: tool["function"] for tool in tools}
    function = functions[named] if named else tools[0]["function"]
    return tool_call(function["name"], function.get("parameters", {}))


def _frame(answer: Answer, kind: str) -> JsonObject:
    return {
        "id": f"chatcmpl-{answer.ident}",
        "object": kind,
        "created": CREATED,
        "model": answer.asked.model,
        "system_fingerprint": "fp_demo",
    }


def _message(choice: Choice, call_id: str) -> JsonObject:
    text = "".join(choice.pieces)
    if choice.tool is None:
        return {"role": "assistant", "content": text, "refusal": None}
    function = {"name": choice.tool, "arguments": text}
    call = {"id": call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}


def _opening(choice: Choice, call_id: str) -> JsonObject:
    if choice.tool is None:
        return {"role": "assistant", "content": "", "refusal": None}
    function = {"name": choice.tool, "arguments": ""}
    call = {"index": 0, "id": call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _delta(choice: Choice, piece: str) -> JsonObject:
    if choice.tool is None:
        return {"content": piece}
    return {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _finish_reason(choice: Choice) -> str:
    if choice.cut:
        return "length"
    return "stop" if choice.tool is None else "tool_calls"


def _usage(answer: Answer) -> JsonObject:
    return {
        "prompt_tokens": answer.asked.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.asked.input_tokens + answer.output_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
        },
    }


def _event(data: JsonObject) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"

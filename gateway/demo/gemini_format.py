"""The scripted model API in Gemini's words: content, counting tokens, models, errors."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

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

MOST_CANDIDATES = 8

_PATH = re.compile(r"/v1(?:beta)?/models(?:/(?P<model>[^/:]+)(?::(?P<verb>\w+))?)?")

_CODES = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""HTTP status of each google.rpc.Code."""

_IN_OUR_WORDS = {
    "authentication_error": "UNAUTHENTICATED",
    "invalid_request_error": "INVALID_ARGUMENT",
    "not_found_error": "NOT_FOUND",
}
"""Faults that the app itself finds, before any dialect is known."""


class Call(NamedTuple):
    """What a path asks for."""

    model: str | None
    verb: str | None


def call(path: str) -> Call | None:
    """None for a path that is none of this API's."""
    found = _PATH.fullmatch(path)
    return Call(found["model"], found["verb"]) if found else None


def asked(body: JsonObject, model: str, *, stream: bool = False) -> Asked:
    """Raises `Rejected` as the real API would refuse."""
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise _invalid("* GenerateContentRequest.contents: contents is not specified")
    config = body.get("generationConfig") or {}
    candidates = config.get("candidateCount", 1)
    if not isinstance(candidates, int) or not 1 <= candidates <= MOST_CANDIDATES:
        raise _invalid("* GenerateContentRequest.generation_config.candidate_count: must be 1 to 8")
    ceiling = config.get("maxOutputTokens")
    if ceiling is not None and (not isinstance(ceiling, int) or ceiling < 1):
        raise _invalid("* GenerateContentRequest.generation_config.max_output_tokens: not positive")
    system = body.get("systemInstruction") or {}
    tools = body.get("tools") or []
    return Asked(
        model=model,
        input_tokens=input_tokens(contents, system, tools),
        fingerprint=fingerprint(contents, system, tools),
        stream=stream,
        ceiling=ceiling,
        choices=candidates,
        tool=_demanded(tools, body.get("toolConfig") or {}),
    )


def document(answer: Answer) -> Event:
    """The whole answer at once."""
    candidates = [
        _candidate(index, _whole(choice), _finish_reason(choice))
        for index, choice in enumerate(answer.choices)
    ]
    told = _frame(answer, candidates, answer.shown_tokens)
    return Event(json.dumps(told).encode(), answer.output_tokens, answer.shown_tokens)


def events(answer: Answer) -> Iterator[Event]:
    """The answer as a stream, its candidates taking turns.

    As the real one: each chunk tells the usage so far, a function is called in one piece, and
    nothing but the reason of its end marks the last chunk.
    """
    thought = answer.reasoning_tokens
    shown = 0
    for at in range(max(len(choice.pieces) for choice in answer.choices)):
        for index, choice in enumerate(answer.choices):
            if at >= len(choice.pieces) or (choice.tool and at):
                continue
            tokens = len(choice.pieces) if choice.tool else 1
            part = _whole(choice) if choice.tool else {"text": choice.pieces[at]}
            shown += tokens
            data = _event(_frame(answer, [_candidate(index, part)], shown))
            yield Event(data, written=tokens + thought, shown=tokens)
            thought = 0
    ends = [
        _candidate(index, {"text": ""}, _finish_reason(choice))
        for index, choice in enumerate(answer.choices)
    ]
    yield Event(_event(_frame(answer, ends, shown)), written=thought)


def error(fault: Fault) -> JsonObject:
    status = _IN_OUR_WORDS.get(fault.kind, fault.kind)
    return {"error": {"code": _CODES.get(status, 500), "message": fault.message, "status": status}}


def error_event(fault: Fault) -> Event:
    return Event(_event(error(fault)))


def count(asked: Asked) -> JsonObject:
    return {"totalTokens": asked.input_tokens}


def model(name: str) -> JsonObject:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def models(names: Iterable[str]) -> JsonObject:
    return {"models": [model(name) for name in names]}


def _invalid(message: str) -> Rejected:
    return Rejected(400, Fault("INVALID_ARGUMENT", message))


def _demanded(tools: list[Any], config: JsonObject) -> ToolCall | None:
    calling = config.get("functionCallingConfig") or {}
    declared = [f for tool in tools for f in tool.get("functionDeclarations", [])]
    if not declared or calling.get("mode") != "ANY":
        return None
    schema = declared[0].get("parametersJsonSchema") or declared[0].get("parameters") or {}
    return tool_call(declared[0]["name"], schema)


def _whole(choice: Choice) -> JsonObject:
    text = "".join(choice.pieces)
    if choice.tool is None:
        return {"text": text}
    return {"functionCall": {"name": choice.tool, "args": {} if choice.cut else json.loads(text)}}


def _candidate(index: int, part: JsonObject, finish: str | None = None) -> JsonObject:
    candidate: JsonObject = {"content": {"role": "model", "parts": [part]}}
    if finish is not None:
        candidate["finishReason"] = finish
    if index:
        candidate["index"] = index  # protobuf leaves out a zero
    return candidate


def _frame(answer: Answer, candidates: list[JsonObject], shown: int) -> JsonObject:
    frame: JsonObject = {"candidates": candidates}
    usage = answer.script.report(_usage(answer, shown))
    if usage is not None:
        frame["usageMetadata"] = usage
    return {**frame, "modelVersion": answer.asked.model, "responseId": answer.ident}


def _usage(answer: Answer, shown: int) -> JsonObject:
    """Thoughts stand beside the candidates; cached tokens are in the prompt."""
    counts = {
        "promptTokenCount": answer.asked.input_tokens,
        "cachedContentTokenCount": answer.cached_tokens,
        "candidatesTokenCount": shown,
        "thoughtsTokenCount": answer.reasoning_tokens,
        "totalTokenCount": answer.asked.input_tokens + shown + answer.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count}


def _finish_reason(choice: Choice) -> str:
    return "MAX_TOKENS" if choice.cut else "STOP"


def _event(data: JsonObject) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"

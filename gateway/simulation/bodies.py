"""A draft becomes a record: the body in the form of its dialect, and what was answered."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.replay.record import Attribute, Record, RecordedAnswer, RecordedUsage
from gateway.simulation.draft import Draft, Sender, Turn

Json = dict[str, Any]

CHAT, MESSAGES, RESPONSES, GEMINI = "chat", "messages", "responses", "gemini"

FAILED = 0.006
"""The share of exchanges that fail at the model API."""

_CEILING_OF_MESSAGES = 4_096
"""That dialect requires one."""
_MOST_OUTPUT = 16_000
_ARGUMENT_CHARACTERS = 80
_FAILURES = (429, 500, 529)

_encode = msgspec.json.Encoder().encode


class Recorder:
    """Of one simulation: it remembers the forms of tools, which repeat."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._tools: dict[tuple[str, tuple[str, ...]], list[Json]] = {}

    def record(self, sender: Sender, draft: Draft) -> Record:
        model = draft.model or sender.model
        if sender.pivots_at_s is not None and draft.at_s >= sender.pivots_at_s:
            model = sender.new_model
        path, body = self._request(sender.dialect, model, draft)
        return Record(
            at=round(draft.at_s, 3),
            account=sender.id,
            path=path,
            attributes=_attributes(sender, draft),
            headers=sender.headers,
            body=msgspec.Raw(_encode(body)),
            response=self._answer(draft),
            label=f"{sender.label}/cover" if draft.cover else sender.label,
        )

    def _request(self, dialect: str, model: str, draft: Draft) -> tuple[str, Json]:
        if dialect == MESSAGES:
            return "/v1/messages", self._messages(model, draft)
        if dialect == RESPONSES:
            return "/v1/responses", self._responses(model, draft)
        if dialect == GEMINI:
            call = "streamGenerateContent" if draft.stream else "generateContent"
            return f"/v1beta/models/{model}:{call}", self._gemini(draft)
        return "/v1/chat/completions", self._chat(model, draft)

    def _chat(self, model: str, draft: Draft) -> Json:
        messages = [{"role": "system", "content": draft.system}] if draft.system else []
        messages += [_chat_message(at, draft.turns) for at in range(len(draft.turns))]
        body: Json = {"model": model, "messages": messages}
        if draft.ceiling:
            body["max_tokens"] = draft.ceiling
        if draft.tools:
            body["tools"] = self._specified(CHAT, draft.tools)
        if draft.end_user:
            body["user"] = draft.end_user
        if draft.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body

    def _messages(self, model: str, draft: Draft) -> Json:
        body: Json = {"model": model, "max_tokens": draft.ceiling or _CEILING_OF_MESSAGES}
        if draft.system:
            body["system"] = draft.system
        body["messages"] = [_messages_message(at, draft.turns) for at in range(len(draft.turns))]
        if draft.tools:
            body["tools"] = self._specified(MESSAGES, draft.tools)
        if draft.end_user:
            body["metadata"] = {"user_id": draft.end_user}
        if draft.stream:
            body["stream"] = True
        return body

    def _responses(self, model: str, draft: Draft) -> Json:
        body: Json = {"model": model}
        if draft.system:
            body["instructions"] = draft.system
        turns = draft.turns
        body["input"] = (
            turns[0].text
            if len(turns) == 1
            else [item for at in range(len(turns)) for item in _responses_items(at, turns)]
        )
        if draft.ceiling:
            body["max_output_tokens"] = draft.ceiling
        if draft.tools:
            body["tools"] = self._specified(RESPONSES, draft.tools)
        if draft.end_user:
            body["user"] = draft.end_user
        if draft.stream:
            body["stream"] = True
        return body

    def _gemini(self, draft: Draft) -> Json:
        body: Json = {
            "contents": [_gemini_content(at, draft.turns) for at in range(len(draft.turns))]
        }
        if draft.system:
            body["systemInstruction"] = {"parts": [{"text": draft.system}]}
        if draft.ceiling:
            body["generationConfig"] = {"maxOutputTokens": draft.ceiling}
        if draft.tools:
            body["tools"] = [{"functionDeclarations": self._specified(GEMINI, draft.tools)}]
        return body

    def _specified(self, dialect: str, names: tuple[str, ...]) -> list[Json]:
        found = self._tools.get((dialect, names))
        if found is None:
            found = self._tools[dialect, names] = [_tool(dialect, name) for name in names]
        return found

    def _answer(self, draft: Draft) -> RecordedAnswer:
        draw = self._draw.random
        if draw() < FAILED:
            failure = _FAILURES[int(draw() * len(_FAILURES))]
            return RecordedAnswer(status=failure, duration=round(0.1 + 2 * draw(), 2))
        characters = len(draft.system or "") + sum([len(turn.text) for turn in draft.turns])
        made = max(1, min(draft.output_tokens, draft.ceiling or _MOST_OUTPUT))
        return RecordedAnswer(
            usage=RecordedUsage(input_tokens=12 + characters // 4, output_tokens=made),
            duration=round(0.35 + made / (45 + 45 * draw()), 2),
        )


def _attributes(sender: Sender, draft: Draft) -> dict[str, Attribute]:
    if draft.network is None and draft.address is None:
        return sender.attributes
    moved = dict(sender.attributes)
    if draft.network is not None and "network" in moved:
        moved["network"] = draft.network
    if draft.address is not None and "address" in moved:
        moved["address"] = draft.address
    return moved


def _chat_message(at: int, turns: Sequence[Turn]) -> Json:
    role, text, tool = turns[at]
    if role == "tool":
        return {"role": "tool", "tool_call_id": f"call_{at - 1}", "content": text}
    if tool is None:
        return {"role": role, "content": text}
    arguments = _encode(_arguments(at, turns)).decode()
    call = {"name": tool, "arguments": arguments}
    calls = [{"id": f"call_{at}", "type": "function", "function": call}]
    return {"role": role, "content": text or None, "tool_calls": calls}


def _messages_message(at: int, turns: Sequence[Turn]) -> Json:
    role, text, tool = turns[at]
    if role == "tool":
        result = {"type": "tool_result", "tool_use_id": f"toolu_{at - 1}", "content": text}
        return {"role": "user", "content": [result]}
    if tool is None:
        return {"role": role, "content": text}
    said: list[Json] = [{"type": "text", "text": text}] if text else []
    use = {"type": "tool_use", "id": f"toolu_{at}", "name": tool, "input": _arguments(at, turns)}
    return {"role": role, "content": [*said, use]}


def _responses_items(at: int, turns: Sequence[Turn]) -> list[Json]:
    role, text, tool = turns[at]
    if role == "tool":
        return [{"type": "function_call_output", "call_id": f"call_{at - 1}", "output": text}]
    items: list[Json] = [{"role": role, "content": text}] if text else []
    if tool is not None:
        arguments = _encode(_arguments(at, turns)).decode()
        call = {"type": "function_call", "call_id": f"call_{at}", "name": tool}
        items.append(call | {"arguments": arguments})
    return items


def _gemini_content(at: int, turns: Sequence[Turn]) -> Json:
    role, text, tool = turns[at]
    if role == "tool":
        answered = {"name": tool or "tool", "response": {"result": text}}
        return {"role": "user", "parts": [{"functionResponse": answered}]}
    parts: list[Json] = [{"text": text}] if text else []
    if tool is not None:
        parts.append({"functionCall": {"name": tool, "args": _arguments(at, turns)}})
    return {"role": "model" if role == "assistant" else role, "parts": parts}


def _arguments(at: int, turns: Sequence[Turn]) -> Json:
    """What a tool was called with: the beginning of what came before."""
    return {"input": turns[at - 1].text[:_ARGUMENT_CHARACTERS] if at else ""}


def _tool(dialect: str, name: str) -> Json:
    schema = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    spec: Json = {"name": name, "description": name.replace("_", " ")}
    if dialect == MESSAGES:
        return spec | {"input_schema": schema}
    if dialect == CHAT:
        return {"type": "function", "function": spec | {"parameters": schema}}
    if dialect == RESPONSES:
        return {"type": "function", **spec, "parameters": schema}
    return spec | {"parameters": schema}

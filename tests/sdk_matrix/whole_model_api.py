"""The scripted model API, with OpenAI's other three formats besides: responses, completions and
embeddings. One script, one ledger; a word is a token here, too.
"""

import json
from collections.abc import Iterator
from typing import Any

from gateway.demo.answers import Answer, Asked, Event, answer, fingerprint, input_tokens
from gateway.demo.ledger import Ending, Entry, options_of
from gateway.demo.model_api import ModelApi
from gateway.demo.openai_format import error
from gateway.demo.scripts import Script
from gateway.proxy.asgi import Receive, Scope, Send

CREATED = 1_700_000_000
RESPONSES, COMPLETIONS, EMBEDDINGS = "/v1/responses", "/v1/completions", "/v1/embeddings"


class WholeModelApi:
    def __init__(self) -> None:
        self.scripted = ModelApi()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if path not in (RESPONSES, COMPLETIONS, EMBEDDINGS):
            await self.scripted(scope, receive, send)
            return
        entry = self.scripted.ledger.received(scope["method"], path, scope["headers"])
        body = await _body(receive)
        entry.options = options_of(body)
        try:
            await self._serve(entry, body, send)
        finally:
            entry.ending = entry.ending or Ending.STOPPED
            self.scripted.ledger.note()

    async def _serve(self, entry: Entry, body: dict[str, Any], send: Send) -> None:
        asked = _asked(body, body["prompt"] if entry.path == COMPLETIONS else body["input"])
        script = self.scripted.next_script()
        if script.fault is not None:
            await _send(send, entry, script, Event(json.dumps(error(script.fault)).encode()))
            return
        whole = answer(asked, script, seed="gauger", ident=f"{entry.number:04d}")
        entry.input_tokens = asked.input_tokens
        if entry.path == EMBEDDINGS:
            await _send(send, entry, script, _embedding(whole))
        elif entry.path == COMPLETIONS:
            said = _completion_events(whole) if asked.stream else _completion(whole)
            await _send(send, entry, script, said)
        else:
            said = _response_events(whole) if asked.stream else _response(whole)
            await _send(send, entry, script, said)


async def _body(receive: Receive) -> dict[str, Any]:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            parsed: dict[str, Any] = json.loads(body)
            return parsed


def _asked(body: dict[str, Any], said: Any) -> Asked:
    said = said if isinstance(said, list) else [said]
    return Asked(
        model=body["model"],
        input_tokens=input_tokens(said, body.get("tools")),
        fingerprint=fingerprint(said),
        stream=bool(body.get("stream")),
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        ceiling=body.get("max_output_tokens", body.get("max_tokens")),
    )


async def _send(send: Send, entry: Entry, script: Script, said: Event | Iterator[Event]) -> None:
    """One event is a plain answer, several are a stream. Either breaks off if the script says."""
    plain = isinstance(said, Event)
    content_type = b"application/json" if plain else b"text/event-stream"
    headers = [(b"content-type", content_type), (b"x-request-id", b"req_whole")]
    headers += [(name.encode(), value.encode()) for name, value in script.headers.items()]
    if isinstance(said, Event):
        headers.append((b"content-length", b"%d" % len(said.data)))
    entry.status = script.status
    await send({"type": "http.response.start", "status": script.status, "headers": headers})
    for sent, event in enumerate([said] if isinstance(said, Event) else said):
        if script.truncate_after is not None and (plain or sent == script.truncate_after):
            half = event.data[: len(event.data) // 2] if plain else b""
            await send({"type": "http.response.body", "body": half, "more_body": True})
            entry.ending = Ending.TRUNCATED
            return
        await send({"type": "http.response.body", "body": event.data, "more_body": True})
        entry.output_tokens += event.written
        entry.delivered_tokens += event.shown
    await send({"type": "http.response.body", "body": b""})
    entry.ending = Ending.COMPLETED


def _embedding(whole: Answer) -> Event:
    read = whole.asked.input_tokens
    body = {
        "object": "list",
        "model": whole.asked.model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}],
        "usage": {"prompt_tokens": read, "total_tokens": read},
    }
    return Event(json.dumps(body).encode())


def _completion_frame(whole: Answer, text: str, finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return {
        "id": f"cmpl-{whole.ident}",
        "object": "text_completion",
        "created": CREATED,
        "model": whole.asked.model,
        "choices": [choice],
    }


def _completion_usage(whole: Answer) -> dict[str, int]:
    read, written = whole.asked.input_tokens, whole.output_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _completion(whole: Answer) -> Event:
    text = "".join(whole.choices[0].pieces)
    body = _completion_frame(whole, text, "stop") | {"usage": _completion_usage(whole)}
    return Event(json.dumps(body).encode(), whole.output_tokens, whole.shown_tokens)


def _completion_events(whole: Answer) -> Iterator[Event]:
    yield Event(_data(_completion_frame(whole, "", None)), whole.reasoning_tokens)
    for piece in whole.choices[0].pieces:
        yield Event(_data(_completion_frame(whole, piece, None)), 1, 1)
    yield Event(_data(_completion_frame(whole, "", "stop")))
    if whole.asked.include_usage:
        usage = {"choices": [], "usage": _completion_usage(whole)}
        yield Event(_data(_completion_frame(whole, "", None) | usage))
    yield Event(b"data: [DONE]\n\n")


def _document(whole: Answer, status: str) -> dict[str, Any]:
    return {
        "id": f"resp_{whole.ident}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": whole.asked.model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }


def _finished(whole: Answer) -> dict[str, Any]:
    read, written = whole.asked.input_tokens, whole.output_tokens
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": whole.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": whole.reasoning_tokens},
        "total_tokens": read + written,
    }
    return _document(whole, "completed") | {"output": [_item(whole, done=True)], "usage": usage}


def _item(whole: Answer, *, done: bool) -> dict[str, Any]:
    choice = whole.choices[0]
    text = "".join(choice.pieces) if done else ""
    status = "completed" if done else "in_progress"
    if choice.tool is not None:
        return {
            "id": f"fc_{whole.ident}",
            "type": "function_call",
            "call_id": f"call_{whole.ident}",
            "name": choice.tool,
            "arguments": text,
            "status": status,
        }
    return {
        "id": f"msg_{whole.ident}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [_part(text)] if done else [],
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(whole: Answer) -> Event:
    body = json.dumps(_finished(whole)).encode()
    return Event(body, whole.output_tokens, whole.shown_tokens)


def _response_events(whole: Answer) -> Iterator[Event]:
    choice, numbers = whole.choices[0], iter(range(1_000))
    item = _item(whole, done=True)
    text = "".join(choice.pieces)
    at = {"item_id": item["id"], "output_index": 0}
    part = at | {"content_index": 0}

    def event(kind: str, shown: int = 0, thought: int = 0, **fields: Any) -> Event:
        document = {"type": kind, "sequence_number": next(numbers), **fields}
        return Event(f"event: {kind}\n".encode() + _data(document), shown + thought, shown)

    begun = _document(whole, "in_progress")
    yield event("response.created", response=begun)
    yield event("response.in_progress", thought=whole.reasoning_tokens, response=begun)
    beginning = _item(whole, done=False)
    yield event("response.output_item.added", output_index=0, item=beginning)
    if choice.tool is None:
        yield event("response.content_part.added", **part, part=_part(""))
        for piece in choice.pieces:
            yield event("response.output_text.delta", 1, **part, delta=piece, logprobs=[])
        yield event("response.output_text.done", **part, text=text, logprobs=[])
        yield event("response.content_part.done", **part, part=_part(text))
    else:
        for piece in choice.pieces:
            yield event("response.function_call_arguments.delta", 1, **at, delta=piece)
        called: dict[str, Any] = {"name": choice.tool, "arguments": text}
        yield event("response.function_call_arguments.done", **at, **called)
    yield event("response.output_item.done", output_index=0, item=item)
    yield event("response.completed", response=_finished(whole))


def _data(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"

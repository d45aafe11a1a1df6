"""A scripted model API: an ASGI app that answers as those of OpenAI, Anthropic and Google do.

There is no model behind it. `gauger demo` talks to it, and the tests judge gauger by its ledger.
What it does with a request is told beforehand by a `Script`; without one it answers well, the same
request always the same.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gateway.demo import anthropic_format, gemini_format, openai_format
from gateway.demo.answers import Answer, Asked, Event, Rejected, answer
from gateway.demo.ledger import Ending, Entry, Ledger, digest, options_of
from gateway.demo.scripts import ANSWER, Fault, JsonObject, Script
from gateway.proxy.asgi import Receive, Scope, Send

MODELS = ("demo-small", "demo-large")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """One dialect's answers, so that the app itself speaks none."""

    document: Callable[[Answer], Event]
    events: Callable[[Answer], Iterator[Event]]
    error: Callable[[Fault], JsonObject]
    error_event: Callable[[Fault], Event]
    request_id: bytes


OPENAI = _Dialect(
    openai_format.document,
    openai_format.events,
    openai_format.error,
    openai_format.error_event,
    b"x-request-id",
)
ANTHROPIC = _Dialect(
    anthropic_format.document,
    anthropic_format.events,
    anthropic_format.error,
    anthropic_format.error_event,
    b"request-id",
)
GEMINI = _Dialect(
    gemini_format.document,
    gemini_format.events,
    gemini_format.error,
    gemini_format.error_event,
    b"x-request-id",
)


class ModelApi:
    """`script` answers every request for which none was queued by `then`.

    `api_key`, if given, is the only credential taken. The delays are seconds, for demos: tests
    pace by a gate. Set `script` at any time; the next request follows it.
    """

    def __init__(
        self,
        *,
        seed: str = "gauger",
        script: Script = ANSWER,
        models: tuple[str, ...] = MODELS,
        api_key: str | None = None,
        first_token_seconds: float = 0.0,
        tokens_per_second: float | None = None,
    ) -> None:
        self.ledger = Ledger()
        self.script = script
        self.models = models
        self.first_token_seconds = first_token_seconds
        self.seconds_per_token = 1 / tokens_per_second if tokens_per_second else 0.0
        self.heeds_ceilings = True
        self._seed = seed
        self._accepted = digest(api_key) if api_key else None
        self._queued: deque[Script] = deque()

    def then(self, *scripts: Script) -> None:
        """The next requests that a model would answer follow these, in order."""
        self._queued.extend(scripts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        entry = self.ledger.received(scope["method"], scope["path"], scope["headers"])
        try:
            body = await _body(receive)
            if body is None:
                entry.ending = Ending.CLIENT_LEFT
                return
            exchange = _Exchange(self, entry, send, scope.get("query_string", b""))
            await self._until_left(exchange, body, receive)
        finally:
            entry.ending = entry.ending or Ending.STOPPED
            self.ledger.note()

    def next_script(self) -> Script:
        return self._queued.popleft() if self._queued else self.script

    def answer(self, asked: Asked, script: Script, entry: Entry) -> Answer:
        if asked.model not in self.models:
            fault = Fault("not_found_error", f"model: {asked.model}", "model_not_found")
            raise Rejected(404, fault)
        if not self.heeds_ceilings:
            asked = replace(asked, ceiling=None)
        return answer(asked, script, seed=self._seed, ident=f"{entry.number:04d}")

    def accepts(self, entry: Entry) -> bool:
        return self._accepted is None or entry.credential == self._accepted

    async def _until_left(self, exchange: "_Exchange", body: bytes, receive: Receive) -> None:
        """Answers; a client that leaves stops the model, in whatever it is doing."""
        answering = asyncio.create_task(exchange.run(body))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
            else:
                exchange.entry.ending = Ending.CLIENT_LEFT
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


@dataclass(slots=True)
class _Exchange:
    api: ModelApi
    entry: Entry
    send: Send
    query: bytes

    async def run(self, body: bytes) -> None:
        entry = self.entry
        dialect = _spoken(entry)
        try:
            await self._serve(dialect, body)
        except Rejected as rejected:
            await self._document(dialect, rejected.status, dialect.error(rejected.fault))
            entry.ending = Ending.COMPLETED

    async def _serve(self, dialect: _Dialect, body: bytes) -> None:
        entry, api = self.entry, self.api
        if not api.accepts(entry):
            fault = Fault("authentication_error", "Incorrect API key provided", "invalid_api_key")
            raise Rejected(401, fault)
        if dialect is GEMINI:
            await self._serve_gemini(body)
            return
        match entry.method, entry.path:
            case "GET", "/v1/models":
                await self._document(dialect, 200, openai_format.models(api.models))
                entry.ending = Ending.COMPLETED
            case "POST", "/v1/messages/count_tokens":
                asked = anthropic_format.asked(self._parsed(body), counting=True)
                await self._document(dialect, 200, anthropic_format.count(asked))
                entry.ending = Ending.COMPLETED
            case "POST", "/v1/messages":
                await self._generate(dialect, anthropic_format.asked(self._parsed(body)))
            case "POST", "/v1/chat/completions":
                await self._generate(dialect, openai_format.asked(self._parsed(body)))
            case _:
                raise Rejected(404, Fault("not_found_error", f"No such route: {entry.path}"))

    async def _serve_gemini(self, body: bytes) -> None:
        entry, api = self.entry, self.api
        match entry.method, gemini_format.call(entry.path):
            case "GET", gemini_format.Call(None, None):
                await self._document(GEMINI, 200, gemini_format.models(api.models))
                entry.ending = Ending.COMPLETED
            case "GET", gemini_format.Call(str(model), None) if model in api.models:
                await self._document(GEMINI, 200, gemini_format.model(model))
                entry.ending = Ending.COMPLETED
            case "POST", gemini_format.Call(str(model), "countTokens"):
                asked = gemini_format.asked(self._parsed(body), model)
                await self._document(GEMINI, 200, gemini_format.count(asked))
                entry.ending = Ending.COMPLETED
            case "POST", gemini_format.Call(str(model), "generateContent"):
                await self._generate(GEMINI, gemini_format.asked(self._parsed(body), model))
            case "POST", gemini_format.Call(str(model), "streamGenerateContent") if (
                self.query == b"alt=sse"
            ):
                asked = gemini_format.asked(self._parsed(body), model, stream=True)
                await self._generate(GEMINI, asked)
            case _:
                raise Rejected(404, Fault("not_found_error", f"No such route: {entry.path}"))

    def _parsed(self, body: bytes) -> JsonObject:
        try:
            parsed = json.loads(body)
        except ValueError as error:
            fault = Fault("invalid_request_error", "The body is not JSON.")
            raise Rejected(400, fault) from error
        if not isinstance(parsed, dict):
            raise Rejected(400, Fault("invalid_request_error", "The body is not an object."))
        self.entry.options = options_of(parsed)
        return parsed

    async def _generate(self, dialect: _Dialect, asked: Asked) -> None:
        script = self.api.next_script()
        whole = self.api.answer(asked, script, self.entry)
        if script.fault is not None and script.fault_after is None:
            await script.gate(0)
            error = dialect.error(script.fault)
            await self._document(dialect, script.status, error, script)
            self.entry.ending = Ending.COMPLETED
            return
        self.entry.input_tokens = asked.input_tokens
        await script.gate(0)
        if self.api.first_token_seconds:
            await asyncio.sleep(self.api.first_token_seconds)
        if asked.stream:
            await self._stream(dialect, whole)
        else:
            await self._plain(dialect, whole)

    async def _plain(self, dialect: _Dialect, whole: Answer) -> None:
        script = whole.script
        event = dialect.document(whole)
        data = event.data if script.body is None else script.body
        await self._head(dialect, script.status, "application/json", script, len(data))
        await script.gate(1)
        await self._pause(event.written)
        if script.truncate_after is not None:
            await self._write(Event(data[: len(data) // 2], event.written))
            self.entry.ending = Ending.TRUNCATED
            return
        await self._write(event._replace(data=data), more=False)
        self.entry.ending = Ending.COMPLETED

    async def _stream(self, dialect: _Dialect, whole: Answer) -> None:
        script = whole.script
        await self._head(dialect, script.status, "text/event-stream", script)
        events = dialect.events(whole) if script.body is None else iter([Event(script.body)])
        for sent, event in enumerate(events):
            if sent == script.truncate_after:
                self.entry.ending = Ending.TRUNCATED
                return
            if sent == script.fault_after and script.fault is not None:
                await self._write(dialect.error_event(script.fault))
                break
            await script.gate(sent + 1)
            await self._pause(event.written)
            await self._write(event)
        await self.send({"type": "http.response.body", "body": b""})
        self.entry.ending = Ending.COMPLETED

    async def _document(
        self, dialect: _Dialect, status: int, document: JsonObject, script: Script = ANSWER
    ) -> None:
        data = json.dumps(document).encode()
        await self._head(dialect, status, "application/json", script, len(data))
        await self._write(Event(data), more=False)

    async def _head(
        self,
        dialect: _Dialect,
        status: int,
        content_type: str,
        script: Script,
        length: int | None = None,
    ) -> None:
        headers = [
            (b"content-type", content_type.encode()),
            (dialect.request_id, f"req_model_{self.entry.number:04d}".encode()),
            *((name.encode(), value.encode()) for name, value in script.headers.items()),
        ]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        self.entry.status = status
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        self.api.ledger.note()

    async def _write(self, event: Event, *, more: bool = True) -> None:
        message: dict[str, Any] = {"type": "http.response.body", "body": event.data}
        await self.send({**message, "more_body": more})
        self.entry.output_tokens += event.written
        self.entry.delivered_tokens += event.shown
        self.entry.events_sent += 1
        self.api.ledger.note()

    async def _pause(self, tokens: int) -> None:
        if tokens and self.api.seconds_per_token:
            await asyncio.sleep(tokens * self.api.seconds_per_token)


def _spoken(entry: Entry) -> _Dialect:
    if entry.path.startswith("/v1/messages"):
        return ANTHROPIC
    if entry.path.startswith("/v1beta/") or "x-goog-api-key" in entry.headers:
        return GEMINI
    return OPENAI


async def _body(receive: Receive) -> bytes | None:
    """None if the client left before it had sent all."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""OpenAI's responses.

A background response is refused: its answer comes without usage, and what it consumes later is
asked for on another path. What `previous_response_id`, `conversation` and a stored `prompt` bring
along is not in the request, so the estimate leaves it out; the usage at the end has it.

A stream's events name their kind in `type`. The last one is `response.completed`,
`response.incomplete` or `response.failed`, and holds the whole response with its usage; a response
in an event before tells no usage, or none that is final.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.errors import MalformedRequest
from gateway.facts import client_session
from gateway.facts.dialects import request_fields
from gateway.facts.dialects.openai_family import OpenAIFormat, end_user, error, session
from gateway.facts.dialects.passing import Seen, WatchedStream, inner, objects
from gateway.facts.dialects.port import StreamWatch
from gateway.facts.dialects.prompt_size import measured, text_bytes
from gateway.facts.event_stream import Event
from gateway.facts.exchange import Ask, Route, RouteName
from gateway.facts.json_text import dump
from gateway.facts.refusal import Refusal
from gateway.facts.usage import Usage, has_absurd_count, token_count

RESPONSES = Route(RouteName.RESPONSES, "POST", "/v1/responses", generates=True)

LARGEST_EVENT_BYTES = 8 * 2**20
"""The last event repeats the whole answer, and the instructions and tools that were sent."""

_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})

_NOT_WRITTEN = frozenset({"response.audio.delta", "response.shell_call_output_content.delta"})
"""Sound in base64, and what a tool gave back."""

_WRITTEN = ("content", "summary", "name", "arguments", "input", "code", "action")


class OpenAIResponses(OpenAIFormat):
    routes: Sequence[Route] = (RESPONSES,)

    def read_ask(
        self,
        route: Route,  # noqa: ARG002  there is one
        body: Mapping[str, Any],
        body_bytes: int,  # noqa: ARG002  the text is counted, not the body around it
        path_model: str | None = None,  # noqa: ARG002  the body names the model
    ) -> Ask:
        if request_fields.flag(body, "background"):
            raise MalformedRequest(
                '"background" is true; allowed is false: what a background response consumes '
                "cannot be metered here.",
                field="background",
            )
        model = request_fields.model_name(body)
        items = _input_items(body)
        kinds = [item.get("type") for item in objects(items)]
        prompt = measured(body, items, "instructions")
        include = request_fields.array(body, "include")
        return Ask(
            model=model,
            stream=request_fields.flag(body, "stream"),
            input_tokens=prompt.tokens,
            max_output_tokens=request_fields.whole_number(body, "max_output_tokens", least=1),
            end_user=end_user(body),
            session=session(body) or _conversation(body),
            temperature=request_fields.number(body, "temperature"),
            logprobs=request_fields.asked(body, "top_logprobs")
            or "message.output_text.logprobs" in include,
            reasoning=_reasoning(body) or "reasoning.encrypted_content" in include,
            tools=request_fields.length(body, "tools"),
            images=prompt.images,
            turns=sum(item.get("role") == "user" for item in objects(items)),
            tool_results=sum(str(kind).endswith("_call_output") for kind in kinds),
        )

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  nothing is ever withheld
        return WatchedStream(
            _EventReader(), may_withhold=False, max_event_bytes=LARGEST_EVENT_BYTES
        )

    def note(self, seen: Seen, document: Mapping[str, Any]) -> None:
        _note_whole(seen, document)

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:  # noqa: ARG002  this dialect's errors name no request
        """The API's own event has the fields beside `type`; the SDK raises only for `error`.

        The true number of the event is not known here; readers demand one and compare none.
        """
        told = error(refusal)
        beside = {name: told[name] for name in ("code", "message", "param")}
        event = {"type": "error", "sequence_number": 0, **beside, "error": told}
        return b"event: error\ndata: " + dump(event) + b"\n\n"


class _EventReader:
    def __init__(self) -> None:
        self.seen = Seen()

    def read(self, event: Event) -> bool:
        told = self.seen.object_in(event) or {}
        kind = told.get("type")
        if told.get("object") == "response":
            _note_whole(self.seen, told)
            self.seen.complete = True
        elif not isinstance(kind, str):
            self.seen.failed = self.seen.failed or bool(told.get("error"))
        elif kind == "error":
            self.seen.failed = True
        elif kind in _LAST:
            _note_response(self.seen, inner(told, "response"))
            self.seen.complete = True
            self.seen.failed = self.seen.failed or kind == "response.failed"
        elif kind.endswith(".delta") and kind not in _NOT_WRITTEN:
            self.seen.text_bytes += text_bytes(told.get("delta"))
        else:
            self.seen.note_labels(inner(told, "response"))
        return False


def _input_items(body: Mapping[str, Any]) -> list[Any]:
    """A plain string is a message of the user's. A stored prompt may stand in its place."""
    value = body.get("input")
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if value is None or isinstance(value, list):
        return value or []
    found = request_fields.found(body, "input")
    raise request_fields.wrong("input", found, "a string or an array of items")


def _conversation(body: Mapping[str, Any]) -> str | None:
    """That the response is added to: its id, or an object that holds it."""
    value = body.get("conversation")
    if isinstance(value, dict):
        return client_session.in_field(value, "id", within="conversation.")
    return client_session.in_field(body, "conversation")


def _reasoning(body: Mapping[str, Any]) -> bool:
    asked = request_fields.mapping(body, "reasoning")
    return request_fields.asked(asked, "effort", "summary", "generate_summary")


def _note_whole(seen: Seen, response: Mapping[str, Any]) -> None:
    _note_response(seen, response)
    seen.text_bytes = sum(
        text_bytes(item.get(name)) for item in objects(response.get("output")) for name in _WRITTEN
    )


def _note_response(seen: Seen, response: Mapping[str, Any]) -> None:
    seen.note_labels(response)
    seen.failed = seen.failed or response.get("status") == "failed"
    cut_short = inner(response, "incomplete_details").get("reason")
    seen.note_finish(0, cut_short or response.get("status"))
    usage = inner(response, "usage")
    read, written = inner(usage, "input_tokens_details"), inner(usage, "output_tokens_details")
    seen.usage = seen.usage.updated_by(
        Usage(
            input_tokens=token_count(usage.get("input_tokens")),
            output_tokens=token_count(usage.get("output_tokens")),
            cached_tokens=token_count(read.get("cached_tokens")),
            cache_write_tokens=token_count(read.get("cache_write_tokens")),
            reasoning_tokens=token_count(written.get("reasoning_tokens")),
            absurd=has_absurd_count(usage),
        )
    )

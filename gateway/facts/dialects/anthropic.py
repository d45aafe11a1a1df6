"""The dialect of Anthropic's messages.

Cached tokens stand beside the input, so what the model read is the sum. In a stream
`message_start` tells the input; its count of output is a first guess and not read. `message_delta`
tells the output, cumulatively, and may repeat the input: the last one wins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from gateway.facts import client_session
from gateway.facts.dialects import request_fields
from gateway.facts.dialects.passing import Seen, WatchedStream, inner, json_object, objects
from gateway.facts.dialects.port import Answer, Answered, Headers, StreamWatch
from gateway.facts.dialects.prompt_size import measured, text_bytes
from gateway.facts.dialects.rate_limit_fields import (
    ietf_headers,
    reset_us,
    scarcest,
    whole_seconds,
)
from gateway.facts.dialects.refusal_headers import refusal_headers
from gateway.facts.event_stream import Event
from gateway.facts.exchange import Ask, Route, RouteName
from gateway.facts.json_text import dump
from gateway.facts.refusal import QuotaState, Refusal, RefusalKind
from gateway.facts.usage import Usage, has_absurd_count, token_count

MESSAGES = Route(RouteName.MESSAGES, "POST", "/v1/messages", generates=True)
COUNT_TOKENS = Route(RouteName.COUNT_TOKENS, "POST", "/v1/messages/count_tokens", generates=False)
MODELS = Route(RouteName.MODELS, "GET", "/v1/models", generates=False)
MODEL = Route(RouteName.MODELS, "GET", "/v1/models/{model}", generates=False)

REFUSALS: Mapping[RefusalKind, tuple[int, str]] = {
    RefusalKind.RATE: (429, "rate_limit_error"),
    RefusalKind.CONCURRENCY: (429, "rate_limit_error"),
    RefusalKind.NEVER_FITS: (400, "invalid_request_error"),
    RefusalKind.BLOCKED: (403, "permission_error"),
    RefusalKind.CHALLENGE: (403, "permission_error"),
    RefusalKind.NO_CREDENTIAL: (401, "authentication_error"),
    RefusalKind.BAD_CREDENTIAL: (401, "authentication_error"),
    RefusalKind.UNKNOWN_ROUTE: (404, "not_found_error"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "invalid_request_error"),
    RefusalKind.MALFORMED: (400, "invalid_request_error"),
    RefusalKind.BODY_TOO_LARGE: (413, "request_too_large"),
    RefusalKind.STORE_UNAVAILABLE: (503, "api_error"),
    RefusalKind.IDENTITY_UNAVAILABLE: (503, "api_error"),
    RefusalKind.OVERLOADED: (529, "overloaded_error"),
    RefusalKind.UPSTREAM_UNREACHABLE: (502, "api_error"),
    RefusalKind.UPSTREAM_TIMEOUT: (504, "timeout_error"),
    RefusalKind.INTERNAL: (500, "api_error"),
}
"""Status and `type`."""

_LAST_SECOND = 253_402_300_799
"""Of the year 9999, after which RFC 3339 has no dates: a debt may take longer to drain."""


class Anthropic:
    name = "anthropic"
    routes: Sequence[Route] = (MESSAGES, COUNT_TOKENS, MODELS, MODEL)

    def read_ask(
        self,
        route: Route,
        body: Mapping[str, Any],
        body_bytes: int,  # noqa: ARG002  the text is counted, not the body around it
        path_model: str | None = None,
    ) -> Ask:
        if route.name == RouteName.MODELS:
            return Ask(model=path_model)
        model = request_fields.model_name(body)
        messages = request_fields.messages(body)
        metadata = request_fields.mapping(body, "metadata")
        prompt = measured(body, messages, "system")
        user_id = request_fields.text(metadata, "user_id", within="metadata.")
        end_user, session = client_session.in_user_id(user_id) if user_id else (None, None)
        contents = [_blocks(message) for message in objects(messages) if _by_user(message)]
        return Ask(
            model=model,
            stream=request_fields.flag(body, "stream"),
            input_tokens=prompt.tokens,
            # 0 fills the cache and writes nothing
            max_output_tokens=request_fields.whole_number(
                body, "max_tokens", least=0, required=route.generates
            ),
            end_user=end_user,
            session=client_session.in_field(metadata, "session_id", within="metadata.") or session,
            temperature=request_fields.number(body, "temperature"),
            reasoning=_reasoning(body),
            tools=request_fields.length(body, "tools"),
            images=prompt.images,
            turns=sum(not blocks or not all(map(_is_result, blocks)) for blocks in contents),
            tool_results=sum(map(_is_result, chain.from_iterable(contents))),
        )

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:  # noqa: ARG002  usage is always reported
        return None

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  nothing is ever withheld
        return WatchedStream(_EventReader(), may_withhold=False)

    def read_answer(self, route: Route, status: int, body: bytes) -> Answered:
        seen = Seen(failed=status >= 400)  # noqa: PLR2004  HTTP's own boundary
        document = json_object(body)
        if document is not None:
            seen.complete = True
            seen.failed = seen.failed or document.get("type") == "error"
            if route.generates:
                _note_whole(seen, document)
        return seen.answered()

    def refuse(
        self, refusal: Refusal, quotas: Sequence[QuotaState], request_id: str, now_us: int
    ) -> Answer:
        body = dump(_error(refusal, request_id))
        return Answer(
            REFUSALS[refusal.kind][0],
            [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                (self.request_id_header(), request_id.encode()),
                *refusal_headers(refusal, milliseconds=False),
                *self.quota_headers(quotas, now_us),
            ],
            body,
        )

    def quota_headers(self, quotas: Sequence[QuotaState], now_us: int) -> Headers:
        headers: Headers = []
        for unit in ("requests", "tokens", "input_tokens", "output_tokens"):
            quota = scarcest(quotas, unit)
            if quota is not None:
                prefix = f"anthropic-ratelimit-{unit.replace('_', '-')}"
                headers += [
                    (f"{prefix}-limit".encode(), b"%d" % quota.limit),
                    (f"{prefix}-remaining".encode(), b"%d" % quota.remaining),
                    (f"{prefix}-reset".encode(), _moment(now_us + reset_us(quota)).encode()),
                ]
        return headers + ietf_headers(quotas)

    def request_id_header(self) -> bytes:
        return b"request-id"

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:
        return b"event: error\ndata: " + dump(_error(refusal, request_id)) + b"\n\n"

    def credential_headers(self, upstream_key: str) -> Headers:
        return [(b"x-api-key", upstream_key.encode())]


def _reasoning(body: Mapping[str, Any]) -> bool:
    """Thinking of any kind, or an effort."""
    thinking = request_fields.mapping(body, "thinking").get("type")
    return thinking not in (None, "disabled") or request_fields.asked(
        inner(body, "output_config"), "effort"
    )


def _by_user(message: Mapping[str, Any]) -> bool:
    return message.get("role") == "user"


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Empty where the content is plain text."""
    return objects(message.get("content"))


def _is_result(block: Mapping[str, Any]) -> bool:
    """Results of tools stand in messages of the user's; one with nothing else is no turn of his."""
    kind = block.get("type")
    return isinstance(kind, str) and kind.endswith("tool_result")


@dataclass(slots=True)
class _Counts:
    """The counts as this dialect has them: of input the most that was told, of output the last.

    Some servers repeat the input at the end as 0; nothing that was read is unread by that.
    """

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    thinking: int | None = None
    absurd: bool = False

    def take(self, usage: Mapping[str, Any], *, output: bool) -> None:
        """`output`: its counts of output are final, too."""
        self.absurd = self.absurd or has_absurd_count(usage)
        self.input = _most(usage, "input_tokens", self.input)
        self.cache_read = _most(usage, "cache_read_input_tokens", self.cache_read)
        self.cache_write = _most(usage, "cache_creation_input_tokens", self.cache_write)
        if output:
            details = inner(usage, "output_tokens_details")
            self.output = _told(usage, "output_tokens", self.output)
            self.thinking = _told(details, "thinking_tokens", self.thinking)

    def usage(self) -> Usage:
        read = self.input
        if read is not None:
            read += (self.cache_read or 0) + (self.cache_write or 0)
        return Usage(
            read, self.output, self.cache_read, self.cache_write, self.thinking, self.absurd
        )


class _EventReader:
    def __init__(self) -> None:
        self.seen = Seen()
        self._counts = _Counts()

    def read(self, event: Event) -> bool:
        told = self.seen.object_in(event) or {}
        match told.get("type"):
            case "message":  # the whole of it, where a stream was asked for
                _note_whole(self.seen, told)
                self.seen.complete = True
            case "message_start":
                message = inner(told, "message")
                self.seen.note_labels(message)
                self._take(message, output=False)
            case "content_block_start":
                self.seen.text_bytes += _written_bytes(inner(told, "content_block"))
            case "content_block_delta":
                self.seen.text_bytes += _written_bytes(inner(told, "delta"))
            case "message_delta":
                self.seen.note_finish(0, inner(told, "delta").get("stop_reason"))
                self._take(told, output=True)
            case "message_stop":
                self.seen.complete = True
            case "error":
                self.seen.failed = True
        return False

    def _take(self, source: Mapping[str, Any], *, output: bool) -> None:
        self._counts.take(inner(source, "usage"), output=output)
        self.seen.usage = self._counts.usage()


def _note_whole(seen: Seen, message: Mapping[str, Any]) -> None:
    seen.note_labels(message)
    seen.note_finish(0, message.get("stop_reason"))
    seen.text_bytes = sum(map(_written_bytes, objects(message.get("content"))))
    counts = _Counts()
    counts.take(inner(message, "usage"), output=True)
    seen.usage = counts.usage()


def _told(usage: Mapping[str, Any], name: str, before: int | None) -> int | None:
    count = token_count(usage.get(name))
    return before if count is None else count


def _most(usage: Mapping[str, Any], name: str, before: int | None) -> int | None:
    count = token_count(usage.get(name))
    return before if count is None else max(count, before or 0)


def _written_bytes(block: Mapping[str, Any]) -> int:
    """Of a block, or of a delta: text, thinking, the input of a tool."""
    return sum(
        text_bytes(block.get(name))
        for name in ("text", "thinking", "name", "input", "partial_json")
    )


def _error(refusal: Refusal, request_id: str) -> dict[str, Any]:
    return {
        "type": "error",
        "error": {"type": REFUSALS[refusal.kind][1], "message": refusal.message},
        "request_id": request_id,
    }


def _moment(at_us: int) -> str:
    """RFC 3339, in whole seconds, rounded up."""
    seconds = min(whole_seconds(at_us), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

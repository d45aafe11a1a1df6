"""The dialect of OpenAI's chat completions, as OpenAI, vLLM and llama.cpp's server speak it.

Usage is reported in the answer, or in a stream's closing chunk, which has no choices and comes only
if `stream_options.include_usage` asks for it. So gauger asks, and withholds that one chunk from a
client that did not. Some servers put usage on the last chunk that has choices: it is read and
passed on. Running totals on chunks before (vLLM's `continuous_usage_stats`) are not final and not
read. llama.cpp's server closes every choice of a stream with a usage chunk of its own, so as many
as there are choices are added up.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.facts.dialects import request_fields
from gateway.facts.dialects.passing import Seen, WatchedStream, inner, json_object, objects
from gateway.facts.dialects.port import Answer, Answered, Headers, StreamWatch
from gateway.facts.dialects.prompt_size import prompt_tokens, text_bytes
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
from gateway.facts.usage import Usage, token_count

CHAT = Route(RouteName.CHAT, "POST", "/v1/chat/completions", generates=True)
MODELS = Route(RouteName.MODELS, "GET", "/v1/models", generates=False)

MOST_CHOICES = 128
"""OpenAI's own limit of `n`."""

_INVALID = "invalid_request_error"

REFUSALS: Mapping[RefusalKind, tuple[int, str, str | None]] = {
    RefusalKind.RATE: (429, "rate_limit_error", "rate_limit_exceeded"),
    RefusalKind.CONCURRENCY: (429, "rate_limit_error", "concurrency_limit_exceeded"),
    RefusalKind.NEVER_FITS: (400, _INVALID, "request_exceeds_limit"),
    RefusalKind.NO_CREDENTIAL: (401, _INVALID, "invalid_api_key"),
    RefusalKind.BAD_CREDENTIAL: (401, _INVALID, "invalid_api_key"),
    RefusalKind.UNKNOWN_ROUTE: (404, _INVALID, "unknown_route"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, _INVALID, "method_not_allowed"),
    RefusalKind.MALFORMED: (400, _INVALID, None),
    RefusalKind.BODY_TOO_LARGE: (413, _INVALID, "request_too_large"),
    RefusalKind.STORE_UNAVAILABLE: (503, "server_error", "gateway_unavailable"),
    RefusalKind.OVERLOADED: (503, "server_error", "gateway_overloaded"),
    RefusalKind.UPSTREAM_UNREACHABLE: (502, "server_error", "upstream_unreachable"),
    RefusalKind.UPSTREAM_TIMEOUT: (504, "server_error", "upstream_timeout"),
    RefusalKind.INTERNAL: (500, "server_error", "internal_error"),
}
"""Status, `type` and `code`."""


class OpenAI:
    name = "openai"
    routes: Sequence[Route] = (CHAT, MODELS)

    def read_ask(self, route: Route, body: Mapping[str, Any], body_bytes: int) -> Ask:  # noqa: ARG002  the text is counted, not the body around it
        if not route.generates:
            return Ask(model=None)
        model = request_fields.model_name(body)
        messages = request_fields.messages(body)
        options = request_fields.mapping(body, "stream_options")
        return Ask(
            model=model,
            stream=request_fields.flag(body, "stream"),
            input_tokens=prompt_tokens(body, messages),
            max_output_tokens=_ceiling(body),
            choices=_choices(body),
            end_user=request_fields.text(body, "user")
            or request_fields.text(body, "safety_identifier"),
            wants_usage_chunk=request_fields.flag(
                options, "include_usage", within="stream_options."
            ),
        )

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:
        if not _may_withhold(route, ask):
            return None
        options = request_fields.mapping(body, "stream_options")
        return {**body, "stream_options": {**options, "include_usage": True}}

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:
        may_withhold = _may_withhold(route, ask)
        return WatchedStream(
            _ChunkReader(ask.choices, withhold=may_withhold), may_withhold=may_withhold
        )

    def read_answer(self, route: Route, status: int, body: bytes) -> Answered:
        seen = Seen(failed=status >= 400)  # noqa: PLR2004  HTTP's own boundary
        document = json_object(body)
        if document is not None:
            seen.complete = True
            seen.failed = seen.failed or bool(document.get("error"))
            if route.generates:
                seen.note_labels(document)
                _note_choices(seen, document, "message")
                seen.usage = _usage(inner(document, "usage"))
        return seen.answered()

    def refuse(
        self, refusal: Refusal, quotas: Sequence[QuotaState], request_id: str, now_us: int
    ) -> Answer:
        body = dump(_error(refusal))
        return Answer(
            REFUSALS[refusal.kind][0],
            [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                (self.request_id_header(), request_id.encode()),
                *refusal_headers(refusal, milliseconds=True),
                *self.quota_headers(quotas, now_us),
            ],
            body,
        )

    def quota_headers(self, quotas: Sequence[QuotaState], now_us: int) -> Headers:  # noqa: ARG002  this dialect says how long, not when
        headers: Headers = []
        for unit in ("requests", "tokens"):
            quota = scarcest(quotas, unit)
            if quota is not None:
                headers += [
                    (f"x-ratelimit-limit-{unit}".encode(), b"%d" % quota.limit),
                    (f"x-ratelimit-remaining-{unit}".encode(), b"%d" % quota.remaining),
                    (f"x-ratelimit-reset-{unit}".encode(), _duration(reset_us(quota)).encode()),
                ]
        return headers + ietf_headers(quotas)

    def request_id_header(self) -> bytes:
        return b"x-request-id"

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:  # noqa: ARG002  this dialect's errors name no request
        return b"data: " + dump(_error(refusal)) + b"\n\n"

    def credential_headers(self, upstream_key: str) -> Headers:
        return [(b"authorization", b"Bearer " + upstream_key.encode())]


class _ChunkReader:
    def __init__(self, choices: int, *, withhold: bool) -> None:
        self.seen = Seen()
        self._withhold = withhold
        self._closing: deque[Usage] = deque(maxlen=choices)
        """With one choice, the last one wins."""

    def read(self, event: Event) -> bool:
        if event.data.startswith(b"[DONE]"):
            self.seen.complete = True
            return False
        chunk = json_object(event.data)
        if chunk is None:
            return False
        if chunk.get("error") or event.name == "error":
            self.seen.failed = True
            return False
        self.seen.note_labels(chunk)
        finishes = _note_choices(self.seen, chunk, "delta")
        usage = chunk.get("usage")
        if not isinstance(usage, dict):
            return False
        closes: bool = chunk.get("choices") == []
        if closes:
            self._closing.append(_usage(usage))
            self.seen.usage = self.seen.usage.updated_by(_together(self._closing))
        elif finishes:
            self.seen.usage = self.seen.usage.updated_by(_usage(usage))
        return closes and self._withhold


def _may_withhold(route: Route, ask: Ask) -> bool:
    return route.generates and ask.stream and not ask.wants_usage_chunk


def _ceiling(body: Mapping[str, Any]) -> int | None:
    """The largest of the ceilings that a server might go by; None if there is none.

    The API has an old and a new name, servers differ in which one wins, and llama.cpp's own
    `n_predict` beats both; the smaller must not pay for the larger. Below zero `n_predict` lifts
    every ceiling.
    """
    named = [
        request_fields.whole_number(body, name, least=1)
        for name in ("max_tokens", "max_completion_tokens")
    ]
    predict = request_fields.whole_number(body, "n_predict", least=-2)
    if predict is not None and predict < 0:
        return None
    return max((ceiling for ceiling in (*named, predict) if ceiling is not None), default=None)


def _choices(body: Mapping[str, Any]) -> int:
    """`n_cmpl` is what llama.cpp's server reads before `n`."""
    asked = [
        request_fields.whole_number(body, name, least=1, most=MOST_CHOICES)
        for name in ("n", "n_cmpl")
    ]
    return max((choices for choices in asked if choices is not None), default=1)


def _note_choices(seen: Seen, document: Mapping[str, Any], part: str) -> bool:
    """`part` is where the text stands: `message` or `delta`. True if a choice ends here."""
    finishes = False
    for place, choice in enumerate(objects(document.get("choices"))):
        index = choice.get("index")
        seen.note_finish(index if isinstance(index, int) else place, choice.get("finish_reason"))
        finishes = finishes or bool(choice.get("finish_reason"))
        seen.text_bytes += _written_bytes(inner(choice, part))
    return finishes


def _written_bytes(message: Mapping[str, Any]) -> int:
    reasoning = max(  # vLLM sends the same text under both names
        text_bytes(message.get("reasoning_content")), text_bytes(message.get("reasoning"))
    )
    return reasoning + sum(
        text_bytes(message.get(name))
        for name in ("content", "refusal", "tool_calls", "function_call")
    )


def _usage(usage: Mapping[str, Any]) -> Usage:
    read, written = (
        inner(usage, "prompt_tokens_details"),
        inner(usage, "completion_tokens_details"),
    )
    return Usage(
        input_tokens=token_count(usage.get("prompt_tokens")),
        output_tokens=token_count(usage.get("completion_tokens")),
        cached_tokens=token_count(read.get("cached_tokens")),
        cache_write_tokens=token_count(read.get("cache_write_tokens")),
        reasoning_tokens=token_count(written.get("reasoning_tokens")),
    )


def _together(reports: Sequence[Usage]) -> Usage:
    """One usage for all choices: they share the input and add up their outputs."""
    return replace(
        reports[-1],
        output_tokens=_sum(report.output_tokens for report in reports),
        reasoning_tokens=_sum(report.reasoning_tokens for report in reports),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    """None if none is known."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _error(refusal: Refusal) -> dict[str, Any]:
    _, kind, code = REFUSALS[refusal.kind]
    return {
        "error": {"message": refusal.message, "type": kind, "param": refusal.field, "code": code}
    }


def _duration(us: int) -> str:
    """As OpenAI writes it: `340ms`, `17s`, `6m0s`, `1h0m0s`. Rounded up."""
    milliseconds = -(-us // 1000)
    if 0 < milliseconds < 1000:  # noqa: PLR2004  a second
        return f"{milliseconds}ms"
    minutes, seconds = divmod(whole_seconds(us), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"

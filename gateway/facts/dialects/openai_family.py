"""What OpenAI's formats share: refusals, headers, and the shape of a plain answer.

Chat, completions, responses and embeddings are dialects of their own, each in its file, under one
name: they differ in what is asked and answered, not in how a caller is told no.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.facts import client_session
from gateway.facts.dialects import request_fields
from gateway.facts.dialects.passing import NothingToRead, Seen, WatchedStream, json_object
from gateway.facts.dialects.port import Answer, Answered, Headers, StreamWatch
from gateway.facts.dialects.rate_limit_fields import (
    ietf_headers,
    reset_us,
    scarcest,
    whole_seconds,
)
from gateway.facts.dialects.refusal_headers import refusal_headers
from gateway.facts.exchange import Ask, Route
from gateway.facts.json_text import dump
from gateway.facts.refusal import QuotaState, Refusal, RefusalKind

_INVALID = "invalid_request_error"

REFUSALS: Mapping[RefusalKind, tuple[int, str, str | None]] = {
    RefusalKind.RATE: (429, "rate_limit_error", "rate_limit_exceeded"),
    RefusalKind.CONCURRENCY: (429, "rate_limit_error", "concurrency_limit_exceeded"),
    RefusalKind.NEVER_FITS: (400, _INVALID, "request_exceeds_limit"),
    RefusalKind.BLOCKED: (403, "permission_error", "account_suspended"),
    RefusalKind.CHALLENGE: (403, "permission_error", "challenge_required"),
    RefusalKind.NO_CREDENTIAL: (401, _INVALID, "invalid_api_key"),
    RefusalKind.BAD_CREDENTIAL: (401, _INVALID, "invalid_api_key"),
    RefusalKind.UNKNOWN_ROUTE: (404, _INVALID, "unknown_route"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, _INVALID, "method_not_allowed"),
    RefusalKind.MALFORMED: (400, _INVALID, None),
    RefusalKind.BODY_TOO_LARGE: (413, _INVALID, "request_too_large"),
    RefusalKind.STORE_UNAVAILABLE: (503, "server_error", "gateway_unavailable"),
    RefusalKind.IDENTITY_UNAVAILABLE: (503, "server_error", "gateway_unavailable"),
    RefusalKind.OVERLOADED: (503, "server_error", "gateway_overloaded"),
    RefusalKind.UPSTREAM_UNREACHABLE: (502, "server_error", "upstream_unreachable"),
    RefusalKind.UPSTREAM_TIMEOUT: (504, "server_error", "upstream_timeout"),
    RefusalKind.INTERNAL: (500, "server_error", "internal_error"),
}
"""Status, `type` and `code`."""


class OpenAIFormat:
    """One format of the family; what a format does not say otherwise is as here."""

    name = "openai"

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:  # noqa: ARG002  usage is reported unasked
        return None

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  the format has no streams
        return WatchedStream(NothingToRead(), may_withhold=False)

    def parse(self, body: bytes) -> Mapping[str, Any] | None:
        """The JSON document of a plain answer; None if it is none."""
        return json_object(body)

    def note(self, seen: Seen, document: Mapping[str, Any]) -> None:
        """What such a document tells."""

    def read_answer(self, route: Route, status: int, body: bytes) -> Answered:  # noqa: ARG002  a format has one kind of answer
        seen = Seen(failed=status >= 400)  # noqa: PLR2004  HTTP's own boundary
        document = self.parse(body)
        if document is not None:
            seen.complete = True
            seen.failed = seen.failed or bool(document.get("error"))
            self.note(seen, document)
        return seen.answered()

    def refuse(
        self, refusal: Refusal, quotas: Sequence[QuotaState], request_id: str, now_us: int
    ) -> Answer:
        body = dump({"error": error(refusal)})
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
        return b"data: " + dump({"error": error(refusal)}) + b"\n\n"

    def credential_headers(self, upstream_key: str) -> Headers:
        return [(b"authorization", b"Bearer " + upstream_key.encode())]


def error(refusal: Refusal) -> dict[str, Any]:
    _, kind, code = REFUSALS[refusal.kind]
    return {"message": refusal.message, "type": kind, "param": refusal.field, "code": code}


def end_user(body: Mapping[str, Any]) -> str | None:
    """By the old name and the new one."""
    old, new = request_fields.text(body, "user"), request_fields.text(body, "safety_identifier")
    return old or new


def session(body: Mapping[str, Any]) -> str | None:
    """As OpenRouter and LiteLLM read it."""
    return (
        client_session.in_field(body, "session_id")
        or client_session.in_field(body, "litellm_session_id")
        or client_session.in_field(
            request_fields.mapping(body, "metadata"), "session_id", within="metadata."
        )
    )


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

"""The dialect of the Gemini API, as Google's SDKs speak it to one host.

The model stands in the path. A stream is asked for by another path, and only its form with events
(`?alt=sse`) is taken: the other one is a single JSON array, which has no place for an error once it
has begun. Neither is any other parameter that shapes answers (`fields`, `alt=proto`), since usage
could be left out by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.facts.dialects.gemini_answer import AnswerReader
from gateway.facts.dialects.gemini_ask import read_count, read_generate
from gateway.facts.dialects.passing import Seen, WatchedStream, json_object
from gateway.facts.dialects.port import Answer, Answered, Headers, StreamWatch
from gateway.facts.dialects.rate_limit_fields import ietf_headers
from gateway.facts.dialects.refusal_headers import refusal_headers
from gateway.facts.exchange import Ask, Route, RouteName
from gateway.facts.json_text import dump
from gateway.facts.refusal import QuotaState, Refusal, RefusalKind

LARGEST_EVENT_BYTES = 8 * 2**20
"""A picture that a model makes comes in one piece: some megabytes of base64 for 2K pixels."""

_JSON, _EVENTS = "alt=json", "alt=sse"


def _routes(version: str) -> tuple[Route, ...]:
    models, model = f"/{version}/models", f"/{version}/models/{{model}}"
    generate, stream = f"{model}:generateContent", f"{model}:streamGenerateContent"
    paging = ("pageSize", "pageToken")
    return (
        Route(RouteName.GENERATE, "POST", generate, generates=True, query=(_JSON,)),
        Route(RouteName.GENERATE, "POST", stream, generates=True, query=(), demanded_query=_EVENTS),
        Route(
            RouteName.COUNT_TOKENS, "POST", f"{model}:countTokens", generates=False, query=(_JSON,)
        ),
        Route(RouteName.MODELS, "GET", models, generates=False, query=(_JSON, *paging)),
        Route(RouteName.MODELS, "GET", model, generates=False, query=(_JSON,)),
    )


GENERATE, STREAM, COUNT_TOKENS, MODELS, MODEL = V1BETA = _routes("v1beta")
V1 = _routes("v1")
"""What google-genai asks by itself where it is given another address (seen in 3.6)."""

REFUSALS: Mapping[RefusalKind, tuple[int, str, str]] = {
    RefusalKind.RATE: (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
    RefusalKind.CONCURRENCY: (429, "RESOURCE_EXHAUSTED", "CONCURRENCY_LIMIT_EXCEEDED"),
    RefusalKind.NEVER_FITS: (400, "INVALID_ARGUMENT", "REQUEST_EXCEEDS_LIMIT"),
    RefusalKind.BLOCKED: (403, "PERMISSION_DENIED", "ACCOUNT_SUSPENDED"),
    RefusalKind.CHALLENGE: (403, "PERMISSION_DENIED", "CHALLENGE_REQUIRED"),
    RefusalKind.NO_CREDENTIAL: (401, "UNAUTHENTICATED", "CREDENTIALS_MISSING"),
    RefusalKind.BAD_CREDENTIAL: (401, "UNAUTHENTICATED", "API_KEY_INVALID"),
    RefusalKind.UNKNOWN_ROUTE: (404, "NOT_FOUND", "UNKNOWN_ROUTE"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED"),
    RefusalKind.MALFORMED: (400, "INVALID_ARGUMENT", "MALFORMED_REQUEST"),
    RefusalKind.BODY_TOO_LARGE: (413, "INVALID_ARGUMENT", "REQUEST_TOO_LARGE"),
    RefusalKind.STORE_UNAVAILABLE: (503, "UNAVAILABLE", "GATEWAY_UNAVAILABLE"),
    RefusalKind.IDENTITY_UNAVAILABLE: (503, "UNAVAILABLE", "GATEWAY_UNAVAILABLE"),
    RefusalKind.OVERLOADED: (503, "UNAVAILABLE", "GATEWAY_OVERLOADED"),
    RefusalKind.UPSTREAM_UNREACHABLE: (502, "UNAVAILABLE", "UPSTREAM_UNREACHABLE"),
    RefusalKind.UPSTREAM_TIMEOUT: (504, "DEADLINE_EXCEEDED", "UPSTREAM_TIMEOUT"),
    RefusalKind.INTERNAL: (500, "INTERNAL", "GATEWAY_FAILED"),
}
"""HTTP status, `status` (google.rpc.Code; not always that of the HTTP status), and `reason`."""

ERROR_DOMAIN = "gauger"
"""Whose reasons these are (google.rpc.ErrorInfo): Google's own say `googleapis.com`."""

_RPC = "type.googleapis.com/google.rpc."


class Gemini:
    name = "gemini"
    routes: Sequence[Route] = (*V1BETA, *V1)

    def read_ask(
        self,
        route: Route,
        body: Mapping[str, Any],
        body_bytes: int,  # noqa: ARG002  the text is counted, not the body around it
        path_model: str | None = None,
    ) -> Ask:
        if route.name == RouteName.MODELS:
            return Ask(model=path_model)
        if route.name == RouteName.COUNT_TOKENS:
            return read_count(body, path_model)
        return read_generate(body, path_model, stream=route.demanded_query == _EVENTS)

    def amend(self, route: Route, body: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:  # noqa: ARG002  usage is always reported
        return None

    def watch_stream(self, route: Route, ask: Ask) -> StreamWatch:  # noqa: ARG002  nothing is ever withheld
        return WatchedStream(
            AnswerReader(), may_withhold=False, max_event_bytes=LARGEST_EVENT_BYTES
        )

    def read_answer(self, route: Route, status: int, body: bytes) -> Answered:
        failed = status >= 400  # noqa: PLR2004  HTTP's own boundary
        document = json_object(body)
        if document is None:
            return Seen(failed=failed).answered()
        if not route.generates:
            return Seen(complete=True, failed=failed or bool(document.get("error"))).answered()
        reader = AnswerReader()
        reader.take(document, whole=True)
        reader.seen.failed = reader.seen.failed or failed
        return reader.seen.answered()

    def refuse(
        self,
        refusal: Refusal,
        quotas: Sequence[QuotaState],
        request_id: str,
        now_us: int,
    ) -> Answer:
        body = dump(_error(refusal))
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

    def quota_headers(self, quotas: Sequence[QuotaState], now_us: int) -> Headers:  # noqa: ARG002  the standard fields say how long, not when
        return ietf_headers(quotas)

    def request_id_header(self) -> bytes:
        return b"x-request-id"

    def stream_error(self, refusal: Refusal, request_id: str) -> bytes:  # noqa: ARG002  this dialect's errors name no request
        """`error` comes first: that is how google-genai knows it."""
        return b"data: " + dump(_error(refusal)) + b"\n\n"

    def credential_headers(self, upstream_key: str) -> Headers:
        return [(b"x-goog-api-key", upstream_key.encode())]


def _error(refusal: Refusal) -> dict[str, Any]:
    code, status, reason = REFUSALS[refusal.kind]
    details: list[dict[str, Any]] = [
        {"@type": f"{_RPC}ErrorInfo", "reason": reason, "domain": ERROR_DOMAIN}
    ]
    if refusal.field is not None:
        violation = {"field": refusal.field, "description": refusal.message}
        details.append({"@type": f"{_RPC}BadRequest", "fieldViolations": [violation]})
    for name, seconds in refusal_headers(refusal, milliseconds=False):
        if name == b"retry-after":  # the same figure in both places
            delay = f"{seconds.decode()}s"
            details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": delay})
    return {
        "error": {
            "code": code,
            "message": refusal.message,
            "status": status,
            "details": details,
        }
    }

"""Gemini's dialect: our own answers, and which paths and headers are its."""

import pytest

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.gemini import REFUSALS, Gemini
from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.exchange import RouteName
from gateway.facts.refusal import Refusal, RefusalKind
from tests.facts.dialects.answers import NOW_US, document, header, state

GEMINI = Gemini()
GOOGLE_KEY: Headers = [(b"x-goog-api-key", b"k")]
GENERATE_PATH = "/v1beta/models/gemini-2.5-flash:generateContent"

SHAPES = {
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
WAITS_A_SECOND = {
    RefusalKind.CONCURRENCY,
    RefusalKind.STORE_UNAVAILABLE,
    RefusalKind.IDENTITY_UNAVAILABLE,
    RefusalKind.OVERLOADED,
}


def error_info(reason: str) -> dict[str, str]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "gauger",
    }


def retry_info(delay: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


class TestRefusals:
    def test_every_kind_is_worded(self) -> None:
        assert set(SHAPES) == set(REFUSALS) == set(RefusalKind)

    @pytest.mark.parametrize("kind", RefusalKind)
    def test_a_refusal_has_its_status_and_shape(self, kind: RefusalKind) -> None:
        code, status, reason = SHAPES[kind]
        answer = GEMINI.refuse(Refusal(kind, "Why: ä."), [], "req_1", NOW_US)
        assert answer.status == code
        details = [error_info(reason)]
        if kind in WAITS_A_SECOND:
            details.append(retry_info("1s"))
        assert document(answer) == {
            "error": {"code": code, "message": "Why: ä.", "status": status, "details": details}
        }
        assert header(answer.headers, "content-type") == "application/json"
        assert header(answer.headers, "content-length") == str(len(answer.body))
        assert header(answer.headers, "x-request-id") == "req_1"
        assert all(name == name.lower() for name, _ in answer.headers)

    def test_a_refused_rate_looks_as_in_the_contract(self) -> None:
        refusal = Refusal(RefusalKind.RATE, "Retry in 17 s.", retry_after_us=16_840_000)
        quotas = [
            state(remaining=0, retry_after_us=16_840_000, refused=True),
            state("input_tokens", name="itpm", limit=9000, remaining=1),
        ]
        answer = GEMINI.refuse(refusal, quotas, "req_1", NOW_US)
        assert answer.headers == [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-request-id", b"req_1"),
            (b"retry-after", b"17"),
            (b"ratelimit-policy", b'"rpm";q=60;w=60, "itpm";q=9000;qu="input-tokens";w=60'),
            (b"ratelimit", b'"rpm";r=0;t=17, "itpm";r=1;t=30'),
        ]
        assert document(answer)["error"]["details"] == [
            error_info("RATE_LIMIT_EXCEEDED"),
            retry_info("17s"),
        ]

    def test_a_long_wait_is_told_truly_and_says_stop(self) -> None:
        tomorrow = Refusal(RefusalKind.RATE, "Tomorrow.", retry_after_us=86_400_000_000)
        answer = GEMINI.refuse(tomorrow, [], "req_1", NOW_US)
        assert header(answer.headers, "x-should-retry") == "false"
        assert retry_info("86400s") in document(answer)["error"]["details"]

    def test_a_wrong_field_is_named_as_google_names_it(self) -> None:
        refusal = Refusal(RefusalKind.MALFORMED, "Why.", field="generationConfig.candidateCount")
        answer = GEMINI.refuse(refusal, [], "req_1", NOW_US)
        assert document(answer)["error"]["details"] == [
            error_info("MALFORMED_REQUEST"),
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [
                    {"field": "generationConfig.candidateCount", "description": "Why."}
                ],
            },
        ]

    def test_a_stream_is_stopped_by_an_error_event_that_begins_with_the_error(self) -> None:
        """google-genai looks at the first key of the chunk."""
        refusal = Refusal(RefusalKind.UPSTREAM_TIMEOUT, "Too\nslow.")
        assert GEMINI.stream_error(refusal, "req_1") == (
            b'data: {"error":{"code":504,"message":"Too\\nslow.","status":"DEADLINE_EXCEEDED",'
            b'"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",'
            b'"reason":"UPSTREAM_TIMEOUT","domain":"gauger"}]}}\n\n'
        )


def test_quotas_stand_in_the_standard_fields_alone() -> None:
    names = [name for name, _ in GEMINI.quota_headers([state()], NOW_US)]
    assert names == [b"ratelimit-policy", b"ratelimit"]
    assert GEMINI.quota_headers([], NOW_US) == []


def test_the_upstreams_key_is_a_header_of_its_own() -> None:
    assert GEMINI.credential_headers("k") == [(b"x-goog-api-key", b"k")]


class TestRoutes:
    @pytest.mark.parametrize("version", ["v1", "v1beta"])
    @pytest.mark.parametrize(
        ("method", "path", "name", "stream"),
        [
            ("POST", "/models/m-1.5:generateContent", RouteName.GENERATE, False),
            ("POST", "/models/m-1.5:streamGenerateContent", RouteName.GENERATE, True),
            ("POST", "/models/m-1.5:countTokens", RouteName.COUNT_TOKENS, False),
            ("GET", "/models/m-1.5", RouteName.MODELS, False),
        ],
    )
    def test_a_method_of_a_model_is_found_with_its_model(
        self, version: str, method: str, path: str, name: RouteName, stream: bool
    ) -> None:
        match = BUILT_IN.find(method, f"/{version}{path}", GOOGLE_KEY)
        assert (match.dialect.name, match.route.name) == ("gemini", name)
        assert match.path_model == "m-1.5"
        asked = match.dialect.read_ask(match.route, {"contents": []}, 0, match.path_model)
        assert (asked.model, asked.stream) == ("m-1.5", stream)

    @pytest.mark.parametrize("path", ["/v1/models", "/v1beta/models"])
    def test_the_list_of_models_is_answered_in_the_callers_dialect(self, path: str) -> None:
        assert BUILT_IN.find("GET", path, GOOGLE_KEY).dialect.name == "gemini"

    def test_a_path_of_geminis_alone_needs_no_header(self) -> None:
        assert BUILT_IN.find("POST", GENERATE_PATH, []).dialect.name == "gemini"
        assert BUILT_IN.dialect_for(GENERATE_PATH, []).name == "gemini"
        assert BUILT_IN.dialect_for("/v1beta/models/m:embedContent", []).name == "gemini"

    @pytest.mark.parametrize("path", ["/v1beta/models/m:embedContent", "/v1/models/m:predict"])
    def test_a_verb_that_is_not_metered_is_refused_as_what_it_is(self, path: str) -> None:
        """It is not the model `m:embedContent` under another HTTP method."""
        with pytest.raises(UnknownRoute, match=r"not metered here|Served are"):
            BUILT_IN.find("POST", path, GOOGLE_KEY)
        assert BUILT_IN.dialect_for(path, GOOGLE_KEY).name == "gemini"

    def test_another_method_is_refused(self) -> None:
        with pytest.raises(MethodNotAllowed, match="allowed is GET"):
            BUILT_IN.find("POST", "/v1beta/models/m-1.5", [])

"""Answers in OpenAI's dialect: the model's own as a whole, and the gateway's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.dialects.openai_chat import CHAT, OpenAIChat
from gateway.facts.dialects.openai_family import REFUSALS
from gateway.facts.dialects.port import Answered
from gateway.facts.json_text import dump
from gateway.facts.refusal import QuotaState, Refusal, RefusalKind
from gateway.facts.usage import Usage
from tests.facts.dialects.answers import NOW_US, SECOND_US, document, header, recorded, state

OPENAI = OpenAIChat()


def test_a_real_engines_answers() -> None:
    plain = OPENAI.read_answer(CHAT, 200, recorded("chat.json"))
    assert plain.usage == Usage(11, 8, cached_tokens=0)
    assert plain.complete
    assert plain.output_tokens_seen == 9
    tools = OPENAI.read_answer(CHAT, 200, recorded("chat.tools.json"))
    assert tools.finish_reasons == ("tool_calls",)
    assert tools.output_tokens_seen > 0
    error = OPENAI.read_answer(CHAT, 400, recorded("chat.error.json"))
    assert error == Answered(complete=True, failed=True)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"", Answered()),
        (200, b"<html>", Answered()),
        (200, b"[]", Answered()),
        (200, b'{"choices":[', Answered()),
        (502, b"<html>", Answered(failed=True)),
        (200, b'{"error":{"message":"x"}}', Answered(complete=True, failed=True)),
        (200, b'{"choices":7,"usage":7,"id":7}', Answered(complete=True)),
        (200, b'{"choices":[7,{"message":7}]}', Answered(complete=True)),
        (
            200,
            dump(
                {
                    "id": "chatcmpl-1",
                    "model": "m-2026",
                    "choices": [
                        {
                            "index": 0,
                            "finish_reason": "stop",
                            "message": {"content": "abcdefgh", "tool_calls": None},
                        }
                    ],
                    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 999},
                }
            ),
            Answered(Usage(3, 2), 2, "m-2026", "chatcmpl-1", ("stop",), complete=True),
        ),
    ],
)
def test_a_whole_answer_is_read_or_unreported(status: int, body: bytes, expected: Answered) -> None:
    assert OPENAI.read_answer(CHAT, status, body) == expected


@given(st.binary() | st.recursive(st.none(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_reading_an_answer_never_raises(body: bytes) -> None:
    assert isinstance(OPENAI.read_answer(CHAT, 200, body), Answered)


SHAPES = {
    RefusalKind.RATE: (429, "rate_limit_error", "rate_limit_exceeded"),
    RefusalKind.CONCURRENCY: (429, "rate_limit_error", "concurrency_limit_exceeded"),
    RefusalKind.NEVER_FITS: (400, "invalid_request_error", "request_exceeds_limit"),
    RefusalKind.BLOCKED: (403, "permission_error", "account_suspended"),
    RefusalKind.CHALLENGE: (403, "permission_error", "challenge_required"),
    RefusalKind.NO_CREDENTIAL: (401, "invalid_request_error", "invalid_api_key"),
    RefusalKind.BAD_CREDENTIAL: (401, "invalid_request_error", "invalid_api_key"),
    RefusalKind.UNKNOWN_ROUTE: (404, "invalid_request_error", "unknown_route"),
    RefusalKind.METHOD_NOT_ALLOWED: (405, "invalid_request_error", "method_not_allowed"),
    RefusalKind.MALFORMED: (400, "invalid_request_error", None),
    RefusalKind.BODY_TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    RefusalKind.STORE_UNAVAILABLE: (503, "server_error", "gateway_unavailable"),
    RefusalKind.IDENTITY_UNAVAILABLE: (503, "server_error", "gateway_unavailable"),
    RefusalKind.OVERLOADED: (503, "server_error", "gateway_overloaded"),
    RefusalKind.UPSTREAM_UNREACHABLE: (502, "server_error", "upstream_unreachable"),
    RefusalKind.UPSTREAM_TIMEOUT: (504, "server_error", "upstream_timeout"),
    RefusalKind.INTERNAL: (500, "server_error", "internal_error"),
}


class TestRefusals:
    def test_every_kind_is_worded(self) -> None:
        assert set(SHAPES) == set(REFUSALS) == set(RefusalKind)

    @pytest.mark.parametrize("kind", RefusalKind)
    def test_a_refusal_has_its_status_and_shape(self, kind: RefusalKind) -> None:
        status, type_, code = SHAPES[kind]
        answer = OPENAI.refuse(Refusal(kind, "Why: ä.", field="n"), [], "req_1", NOW_US)
        assert answer.status == status
        assert document(answer) == {
            "error": {"message": "Why: ä.", "type": type_, "param": "n", "code": code}
        }
        assert header(answer.headers, "content-type") == "application/json"
        assert header(answer.headers, "content-length") == str(len(answer.body))
        assert header(answer.headers, "x-request-id") == "req_1"
        assert all(name == name.lower() for name, _ in answer.headers)

    def test_a_refused_rate_looks_as_in_the_contract(self) -> None:
        refusal = Refusal(
            RefusalKind.RATE,
            "Limit of 60 requests a minute reached. Retry in 17 s.",
            retry_after_us=16_840_000,
        )
        quotas = [
            state(remaining=0, retry_after_us=16_840_000, refused=True),
            state("tokens", name="tpm", limit=9000, remaining=1, full_after_us=360 * SECOND_US),
        ]
        answer = OPENAI.refuse(refusal, quotas, "req_1", NOW_US)
        assert answer.body == (
            b'{"error":{"message":"Limit of 60 requests a minute reached. Retry in 17 s.",'
            b'"type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}'
        )
        assert answer.headers == [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer.body)),
            (b"x-request-id", b"req_1"),
            (b"retry-after", b"17"),
            (b"retry-after-ms", b"16840"),
            (b"x-ratelimit-limit-requests", b"60"),
            (b"x-ratelimit-remaining-requests", b"0"),
            (b"x-ratelimit-reset-requests", b"17s"),
            (b"x-ratelimit-limit-tokens", b"9000"),
            (b"x-ratelimit-remaining-tokens", b"1"),
            (b"x-ratelimit-reset-tokens", b"6m0s"),
            (b"ratelimit-policy", b'"rpm";q=60;w=60, "tpm";q=9000;qu="tokens";w=60'),
            (b"ratelimit", b'"rpm";r=0;t=17, "tpm";r=1;t=360'),
        ]

    def test_a_stream_is_stopped_by_an_error_event(self) -> None:
        refusal = Refusal(RefusalKind.UPSTREAM_TIMEOUT, "Too\nslow.")
        assert OPENAI.stream_error(refusal, "req_1") == (
            b'data: {"error":{"message":"Too\\nslow.","type":"server_error","param":null,'
            b'"code":"upstream_timeout"}}\n\n'
        )


class TestQuotaHeaders:
    @pytest.mark.parametrize(
        ("us", "text"),
        [
            (0, "0s"),
            (1, "1ms"),
            (339_001, "340ms"),
            (999_001, "1s"),
            (SECOND_US, "1s"),
            (16_000_001, "17s"),
            (59 * SECOND_US + 1, "1m0s"),
            (360 * SECOND_US, "6m0s"),
            (3_600 * SECOND_US, "1h0m0s"),
            (86_461 * SECOND_US, "24h1m1s"),
        ],
    )
    def test_a_time_is_written_as_openai_writes_it(self, us: int, text: str) -> None:
        headers = OPENAI.quota_headers([state(full_after_us=us)], NOW_US)
        assert header(headers, "x-ratelimit-reset-requests") == text

    def test_no_quota_is_no_header(self) -> None:
        assert OPENAI.quota_headers([], NOW_US) == []

    @pytest.mark.parametrize(
        "quota", [state("concurrent", window_s=None), state("input_tokens")], ids=["slots", "input"]
    )
    def test_what_the_dialect_has_no_header_for_stands_in_the_standard_fields(
        self, quota: QuotaState
    ) -> None:
        names = [name for name, _ in OPENAI.quota_headers([quota], NOW_US)]
        assert names == [b"ratelimit-policy", b"ratelimit"]

    def test_of_two_limits_the_scarcer_is_shown(self) -> None:
        day = state(name="day", limit=1000, remaining=3, window_s=86_400)
        headers = OPENAI.quota_headers([state(), day], NOW_US)
        assert header(headers, "x-ratelimit-limit-requests") == "1000"
        assert header(headers, "x-ratelimit-remaining-requests") == "3"


def test_the_upstreams_key_is_a_bearer() -> None:
    assert OPENAI.credential_headers("sk-1") == [(b"authorization", b"Bearer sk-1")]

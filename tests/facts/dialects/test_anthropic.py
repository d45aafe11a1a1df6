"""Anthropic's dialect: asks, the model's answers as they pass, and our own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.facts.dialects.anthropic import COUNT_TOKENS, MESSAGES, MODELS, REFUSALS, Anthropic
from gateway.facts.dialects.port import Answered
from gateway.facts.exchange import Ask, Route
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from tests.facts.dialects.answers import (
    NOT_ASKED,
    NOW_US,
    SECOND_US,
    cuts,
    document,
    header,
    named_events,
    recorded,
    state,
    watch,
)

ANTHROPIC = Anthropic()
TURNS = [{"role": "user", "content": "sixteen letters."}]
LEAST = {"model": "m", "messages": TURNS, "max_tokens": 5}


def ask(route: Route = MESSAGES, **fields: Any) -> Ask:
    return ANTHROPIC.read_ask(route, {**LEAST, **fields}, 100)


class TestAsks:
    def test_the_least_request_is_read(self) -> None:
        assert ask() == Ask(model="m", input_tokens=8, max_output_tokens=5, turns=1)

    def test_everything_that_gauger_reads_is_read(self) -> None:
        asked = ask(
            stream=True,
            metadata={"user_id": "u"},
            system="four",
            temperature=1,
            thinking={"type": "enabled", "budget_tokens": 3},
            n=9,
            odd={"x": 1},
        )
        assert asked == Ask(
            model="m",
            stream=True,
            input_tokens=8 + 5,
            max_output_tokens=5,
            end_user="u",
            temperature=1.0,
            reasoning=True,
            turns=1,
        )

    def test_the_shape_of_a_conversation_is_read(self) -> None:
        result = {"type": "tool_result", "content": [{"type": "image"}]}
        found = {"type": "web_search_tool_result", "content": []}
        talk: list[Any] = [
            {"role": "user", "content": "a"},
            {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "input": {}}, found]},
            {"role": "user", "content": [result, result]},
            {"role": "user", "content": [result, {"type": "text", "text": "c"}]},
            {"role": ["user"], "content": [result]},
            "user",
        ]
        asked = ask(messages=talk, tools=[{}, {}])
        assert (asked.turns, asked.tool_results, asked.images, asked.tools) == (3, 3, 5, 2)

    @pytest.mark.parametrize(
        ("fields", "reasoning"),
        [
            ({"thinking": {"type": "adaptive"}}, True),
            ({"thinking": {"type": "disabled"}}, False),
            ({"thinking": None}, False),
            ({"output_config": {"effort": "high"}}, True),
            ({"output_config": {"format": {}}}, False),
        ],
    )
    def test_thinking_or_an_effort_is_reasoning(
        self, fields: dict[str, Any], reasoning: bool
    ) -> None:
        assert ask(**fields).reasoning is reasoning

    def test_no_output_may_be_asked_for_to_fill_the_cache(self) -> None:
        assert ask(max_tokens=0).max_output_tokens == 0

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("max_tokens", None, "null; allowed is a whole number from 0 to 2,147,483,647"),
            ("max_tokens", -1, "-1; allowed"),
            ("max_tokens", True, "a boolean; allowed"),
            ("max_tokens", 2**31, "2,147,483,648; allowed"),
            ("model", "", "an empty string; allowed"),
            ("messages", {}, "an object; allowed is an array of messages"),
            ("stream", "secret", "a string; allowed is true or false"),
            ("metadata", "secret", "a string; allowed is an object"),
            ("thinking", "secret", "a string; allowed is an object"),
            ("temperature", "secret", "a string; allowed is a number"),
            ("tools", {}, "an object; allowed is an array"),
        ],
    )
    def test_a_wrong_field_is_refused_by_name(
        self, field: str, value: object, message: str
    ) -> None:
        with pytest.raises(MalformedRequest) as refused:
            ANTHROPIC.read_ask(MESSAGES, {**LEAST, field: value}, 100)
        assert refused.value.field == field
        assert refused.value.message.startswith(f'"{field}" is {message}')

    def test_a_missing_ceiling_is_refused_where_a_model_writes(self) -> None:
        body = {"model": "m", "messages": TURNS}
        with pytest.raises(MalformedRequest, match='"max_tokens" is missing'):
            ANTHROPIC.read_ask(MESSAGES, body, 100)
        assert ANTHROPIC.read_ask(COUNT_TOKENS, body, 100) == Ask(
            model="m", input_tokens=8, turns=1
        )

    def test_the_end_users_place_is_told(self) -> None:
        with pytest.raises(MalformedRequest, match=r'"metadata\.user_id" is a number'):
            ask(metadata={"user_id": 7})

    @pytest.mark.parametrize(
        ("metadata", "end_user", "session"),
        [
            ({"user_id": "u"}, "u", None),
            ({"user_id": "user_1_account_2_session_3"}, "user_1_account_2", "3"),
            ({"user_id": "user_1_account_2_session_3", "session_id": "s"}, "user_1_account_2", "s"),
            ({"session_id": "s"}, None, "s"),
            ({}, None, None),
        ],
    )
    def test_a_session_is_named_beside_the_end_user_or_in_him(
        self, metadata: dict[str, str], end_user: str | None, session: str | None
    ) -> None:
        asked = ask(metadata=metadata)
        assert (asked.end_user, asked.session) == (end_user, session)

    def test_a_list_of_models_asks_for_nothing(self) -> None:
        assert ANTHROPIC.read_ask(MODELS, {}, 0) == Ask(model=None)

    @pytest.mark.parametrize("route", [MESSAGES, COUNT_TOKENS, MODELS])
    def test_the_very_bytes_go_on(self, route: Route) -> None:
        assert ANTHROPIC.amend(route, LEAST, NOT_ASKED) is None


def start(**usage: object) -> dict[str, Any]:
    return {
        "type": "message_start",
        "message": {"id": "msg_1", "model": "m-2026", "usage": usage},
    }


def delta(**delta: object) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def end(**usage: object) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}


STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def answered(*events: dict[str, Any]) -> Answered:
    return watch(ANTHROPIC, MESSAGES, NOT_ASKED, named_events(*events))[1]


class TestStreams:
    def test_a_stream_is_read_and_passed_on_untouched(self) -> None:
        stream = named_events(
            start(input_tokens=10, output_tokens=1),
            PING,
            delta(type="text_delta", text="Hello"),
            end(output_tokens=7),
            STOP,
        )
        passed, known = watch(ANTHROPIC, MESSAGES, NOT_ASKED, stream)
        assert passed == stream
        assert known == Answered(Usage(10, 7), 2, "m-2026", "msg_1", ("end_turn",), complete=True)
        for pieces in cuts(stream):
            assert watch(ANTHROPIC, MESSAGES, NOT_ASKED, *pieces) == (stream, known)

    @pytest.mark.parametrize(
        ("events", "usage"),
        [
            ([start(input_tokens=10, output_tokens=1)], Usage(10, None)),
            ([end(output_tokens=7)], Usage(None, 7)),
            (
                [
                    start(
                        input_tokens=10,
                        cache_read_input_tokens=20,
                        cache_creation_input_tokens=30,
                    ),
                    end(output_tokens=7),
                ],
                Usage(60, 7, 20, 30),
            ),
            (
                [
                    start(input_tokens=10, cache_read_input_tokens=20),
                    end(
                        input_tokens=11,
                        cache_read_input_tokens=21,
                        output_tokens=7,
                        output_tokens_details={"thinking_tokens": 4},
                    ),
                ],
                Usage(32, 7, 21, None, 4),
            ),
            ([start(input_tokens=10), end(output_tokens=3), end(output_tokens=9)], Usage(10, 9)),
            ([start(input_tokens=10), end(input_tokens=None, output_tokens=9)], Usage(10, 9)),
            ([start(input_tokens=10), end(input_tokens=-1, output_tokens=-9)], Usage(10, None)),
            ([start(cache_read_input_tokens=20), end()], Usage(None, None, 20)),
            ([start(input_tokens="10"), end(output_tokens=True)], UNREPORTED),
            (
                [
                    start(input_tokens=5, cache_read_input_tokens=100),
                    end(input_tokens=0, cache_read_input_tokens=0, output_tokens=7),
                ],
                Usage(105, 7, 100),
            ),
            ([start(input_tokens=0), end(input_tokens=5, output_tokens=7)], Usage(5, 7)),
            ([{"type": "message_start", "message": 7}, {**end(), "usage": []}], UNREPORTED),
            ([{**delta(), "usage": {"input_tokens": 1, "output_tokens": 1}}], UNREPORTED),
        ],
    )
    def test_the_last_that_was_told_counts(
        self, events: list[dict[str, Any]], usage: Usage
    ) -> None:
        assert answered(*events).usage == usage

    def test_text_that_looks_like_usage_changes_nothing(self) -> None:
        text = '\n\nevent: message_delta\ndata: {"type":"message_delta","usage":{}}\n\n'
        known = answered(start(input_tokens=1), delta(text=text + str(STOP)))
        assert known.usage == Usage(1)
        assert not known.complete

    @pytest.mark.parametrize(
        ("event", "tokens"),
        [
            (delta(type="text_delta", text="abcdefgh"), 2),
            (delta(type="thinking_delta", thinking="abcdefgh"), 2),
            (delta(type="input_json_delta", partial_json='{"a":"b"'), 2),
            (delta(type="signature_delta", signature="x" * 400), 0),
            (delta(type="text_delta", text=None), 0),
            (
                {
                    "type": "content_block_start",
                    "content_block": {
                        "type": "tool_use",
                        "id": "x" * 99,
                        "name": "get",
                        "input": {},
                    },
                },
                1,
            ),
            ({"type": "content_block_start", "content_block": {"type": "text", "text": ""}}, 0),
        ],
    )
    def test_what_was_delivered_is_counted(self, event: dict[str, Any], tokens: int) -> None:
        assert answered(event).output_tokens_seen == tokens

    def test_an_error_event_is_a_failure(self) -> None:
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}
        known = answered(start(input_tokens=1), error)
        assert known.failed
        assert not known.complete

    @pytest.mark.parametrize("name", ["messages.stream.sse", "messages.tools.stream.sse"])
    def test_a_real_engines_stream(self, name: str) -> None:
        stream = recorded(name)
        known = watch(ANTHROPIC, MESSAGES, NOT_ASKED, stream)[1]
        assert known.complete
        assert known.usage in (Usage(11, 8, 10), Usage(224, 32, 223))
        for pieces in cuts(stream):
            assert watch(ANTHROPIC, MESSAGES, NOT_ASKED, *pieces) == (stream, known)


FRAGMENTS = st.sampled_from(
    [
        named_events(start(input_tokens=10)),
        named_events(end(output_tokens=7))[:30],
        named_events(STOP),
        b"data: {}\n\n",
        b"data: [1]\r\r",
        b"\r",
        b"\n",
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12), st.sampled_from([1, 7, 10**6]))
def test_garbage_raises_nothing_and_no_cut_matters(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    known = watch(ANTHROPIC, MESSAGES, NOT_ASKED, stream)[1]
    assert watch(ANTHROPIC, MESSAGES, NOT_ASKED, *pieces) == (stream, known)


@pytest.mark.parametrize(
    ("route", "status", "body", "expected"),
    [
        (MESSAGES, 200, b"<html>", Answered()),
        (MESSAGES, 500, b"", Answered(failed=True)),
        (MESSAGES, 200, b"{}", Answered(complete=True)),
        (MESSAGES, 200, b'{"usage":7,"content":7,"stop_reason":7}', Answered(complete=True)),
        (MESSAGES, 200, b'{"type":"error","error":{}}', Answered(complete=True, failed=True)),
        (
            MESSAGES,
            200,
            recorded("messages.json"),
            Answered(
                Usage(11, 8, 10),
                9,
                "smollm2",
                "chatcmpl-3CRNZRyDoUOHjOAiWSrd4kuTWxn1BOyw",
                ("max_tokens",),
                complete=True,
            ),
        ),
        (
            MESSAGES,
            200,
            recorded("messages.tools.json"),
            Answered(
                Usage(224, 32, 223),
                3,
                "smollm2",
                "chatcmpl-96ejO2bbws9gmzruTtAFsETR5T95f5Rd",
                ("tool_use",),
                complete=True,
            ),
        ),
        (COUNT_TOKENS, 200, recorded("count_tokens.json"), Answered(complete=True)),
        (MODELS, 200, recorded("models.json"), Answered(complete=True)),
    ],
)
def test_a_whole_answer_is_read_or_unreported(
    route: Route, status: int, body: bytes, expected: Answered
) -> None:
    assert ANTHROPIC.read_answer(route, status, body) == expected


SHAPES = {
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


class TestRefusals:
    def test_every_kind_is_worded(self) -> None:
        assert set(SHAPES) == set(REFUSALS) == set(RefusalKind)

    @pytest.mark.parametrize("kind", RefusalKind)
    def test_a_refusal_has_its_status_and_shape(self, kind: RefusalKind) -> None:
        status, type_ = SHAPES[kind]
        answer = ANTHROPIC.refuse(Refusal(kind, "Why: ä."), [], "req_1", NOW_US)
        assert answer.status == status
        assert document(answer) == {
            "type": "error",
            "error": {"type": type_, "message": "Why: ä."},
            "request_id": "req_1",
        }
        assert header(answer.headers, "content-type") == "application/json"
        assert header(answer.headers, "content-length") == str(len(answer.body))
        assert header(answer.headers, "request-id") == "req_1"
        assert all(name == name.lower() for name, _ in answer.headers)

    def test_a_refused_rate_looks_as_in_the_contract(self) -> None:
        refusal = Refusal(RefusalKind.RATE, "Retry in 17 s.", retry_after_us=16_840_000)
        quotas = [
            state(remaining=0, retry_after_us=16_840_000, refused=True),
            state("input_tokens", name="itpm", limit=9000, remaining=1),
        ]
        answer = ANTHROPIC.refuse(refusal, quotas, "req_1", NOW_US)
        assert answer.headers == [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer.body)),
            (b"request-id", b"req_1"),
            (b"retry-after", b"17"),
            (b"anthropic-ratelimit-requests-limit", b"60"),
            (b"anthropic-ratelimit-requests-remaining", b"0"),
            (b"anthropic-ratelimit-requests-reset", b"2026-01-01T00:00:17Z"),
            (b"anthropic-ratelimit-input-tokens-limit", b"9000"),
            (b"anthropic-ratelimit-input-tokens-remaining", b"1"),
            (b"anthropic-ratelimit-input-tokens-reset", b"2026-01-01T00:00:30Z"),
            (b"ratelimit-policy", b'"rpm";q=60;w=60, "itpm";q=9000;qu="input-tokens";w=60'),
            (b"ratelimit", b'"rpm";r=0;t=17, "itpm";r=1;t=30'),
        ]

    def test_a_stream_is_stopped_by_an_error_event(self) -> None:
        refusal = Refusal(RefusalKind.UPSTREAM_TIMEOUT, "Too\nslow.")
        assert ANTHROPIC.stream_error(refusal, "req_1") == (
            b'event: error\ndata: {"type":"error","error":{"type":"timeout_error",'
            b'"message":"Too\\nslow."},"request_id":"req_1"}\n\n'
        )


class TestQuotaHeaders:
    @pytest.mark.parametrize("unit", ["requests", "tokens", "input-tokens", "output-tokens"])
    def test_each_unit_has_its_headers(self, unit: str) -> None:
        headers = ANTHROPIC.quota_headers([state(unit.replace("-", "_"))], NOW_US)
        prefix = f"anthropic-ratelimit-{unit}"
        assert [(name.decode(), value.decode()) for name, value in headers[:3]] == [
            (f"{prefix}-limit", "60"),
            (f"{prefix}-remaining", "10"),
            (f"{prefix}-reset", "2026-01-01T00:00:30Z"),
        ]

    @pytest.mark.parametrize(
        ("us", "text"),
        [
            (0, "2026-01-01T00:00:00Z"),
            (1, "2026-01-01T00:00:01Z"),
            (86_400 * SECOND_US, "2026-01-02T00:00:00Z"),
            (2**70, "9999-12-31T23:59:59Z"),
        ],
    )
    def test_a_reset_is_a_moment(self, us: int, text: str) -> None:
        headers = ANTHROPIC.quota_headers([state(full_after_us=us)], NOW_US)
        assert header(headers, "anthropic-ratelimit-requests-reset") == text

    def test_slots_stand_in_the_standard_fields_alone(self) -> None:
        quota = state("concurrent", window_s=None)
        names = [name for name, _ in ANTHROPIC.quota_headers([quota], NOW_US)]
        assert names == [b"ratelimit-policy", b"ratelimit"]


def test_the_upstreams_key_is_a_header_of_its_own() -> None:
    assert ANTHROPIC.credential_headers("sk-1") == [(b"x-api-key", b"sk-1")]

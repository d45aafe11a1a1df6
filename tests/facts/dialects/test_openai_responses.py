"""Responses: items in place of messages, and a stream whose last event holds everything."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.facts.dialects.openai_responses import RESPONSES, OpenAIResponses
from gateway.facts.dialects.port import Answered
from gateway.facts.exchange import Ask
from gateway.facts.json_text import dump
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from tests.facts.dialects.answers import NOT_ASKED, cuts, named_events, recorded, watch

OPENAI = OpenAIResponses()


def ask(**fields: Any) -> Ask:
    body = {"model": "m", "input": "sixteen letters.", **fields}
    return OPENAI.read_ask(RESPONSES, body, 100)


class TestAsks:
    def test_the_least_request_is_read(self) -> None:
        assert ask() == Ask(model="m", input_tokens=8, turns=1)

    def test_everything_that_gauger_reads_is_read(self) -> None:
        assert ask(
            stream=True,
            instructions="four",
            max_output_tokens=50,
            safety_identifier="u",
            temperature=0.5,
            top_logprobs=3,
            reasoning={"effort": "low"},
            tools=[{"type": "web_search"}],
            store=False,
            previous_response_id="resp_0",
            background=False,
            odd={"x": 1},
        ) == Ask(
            model="m",
            stream=True,
            input_tokens=8 + 5 + 6,
            max_output_tokens=50,
            end_user="u",
            temperature=0.5,
            logprobs=True,
            reasoning=True,
            tools=1,
            turns=1,
        )

    def test_the_shape_of_a_conversation_is_read(self) -> None:
        image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
        screen = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}
        items: list[Any] = [
            {"role": "user", "content": "a"},
            {"type": "message", "role": "user", "content": [image, {"type": "input_text"}]},
            {"type": "message", "role": "assistant", "content": []},
            {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
            {"type": "function_call_output", "call_id": "c", "output": "b"},
            {"type": "computer_call_output", "call_id": "d", "output": screen},
            {"type": "reasoning", "summary": [], "encrypted_content": "x" * 9_000},
            {"type": ["odd"], "role": {"odd": 1}},
            "odd",
        ]
        asked = ask(input=items)
        assert (asked.turns, asked.tool_results, asked.images) == (2, 2, 2)
        assert asked.input_tokens < 2 * 1_600 + 60

    @pytest.mark.parametrize(
        ("fields", "reasoning", "logprobs"),
        [
            ({"reasoning": {"summary": "auto"}}, True, False),
            ({"reasoning": {"effort": "none"}}, False, False),
            ({"reasoning": {}}, False, False),
            ({"reasoning": None}, False, False),
            ({"include": ["reasoning.encrypted_content"]}, True, False),
            ({"include": ["message.output_text.logprobs", {}]}, False, True),
            ({"include": None, "top_logprobs": 0}, False, False),
        ],
    )
    def test_what_is_asked_for_besides_is_known(
        self, fields: dict[str, Any], reasoning: bool, logprobs: bool
    ) -> None:
        asked = ask(**fields)
        assert (asked.reasoning, asked.logprobs) == (reasoning, logprobs)

    def test_a_stored_prompt_may_stand_in_the_place_of_the_input(self) -> None:
        body = {"model": "m", "prompt": {"id": "pmpt_1"}}
        assert OPENAI.read_ask(RESPONSES, body, 40) == Ask(model="m")

    def test_a_background_response_is_refused_by_name(self) -> None:
        with pytest.raises(MalformedRequest) as refused:
            ask(background=True)
        assert refused.value.field == "background"
        assert "cannot be metered" in refused.value.message

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("background", "secret"),
            ("model", None),
            ("input", {"secret": 1}),
            ("input", 7),
            ("stream", 1),
            ("max_output_tokens", 0),
            ("max_output_tokens", -1),
            ("max_output_tokens", True),
            ("max_output_tokens", 1.5),
            ("max_output_tokens", 2**31),
            ("temperature", "secret"),
            ("reasoning", "secret"),
            ("include", "secret"),
            ("tools", {"secret": 1}),
            ("user", 7),
        ],
    )
    def test_a_wrong_field_is_refused_by_name(self, field: str, value: object) -> None:
        with pytest.raises(MalformedRequest) as refused:
            ask(**{field: value})
        assert refused.value.field == field
        assert "secret" not in refused.value.message

    def test_the_very_bytes_go_on(self) -> None:
        body = {"model": "m", "input": "a", "stream": True}
        assert OPENAI.amend(RESPONSES, body, NOT_ASKED) is None


def usage(read: object = 11, written: object = 8, **details: Any) -> dict[str, Any]:
    return {"input_tokens": read, "output_tokens": written, "total_tokens": 99, **details}


def response(status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "m-1", "status": status, **fields}


def last(kind: str = "completed", **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": response(kind, **fields)}


CREATED = {"type": "response.created", "response": response("in_progress", usage=None)}


def text(delta: object, kind: str = "response.output_text.delta") -> dict[str, Any]:
    return {"type": kind, "delta": delta}


def answered(*events: dict[str, Any]) -> Answered:
    return watch(OPENAI, RESPONSES, NOT_ASKED, named_events(*events))[1]


class TestStreams:
    def test_a_stream_is_read_and_passed_on_untouched_however_it_is_cut(self) -> None:
        stream = named_events(
            CREATED, text("abcd"), text("efgh"), last(usage=usage(output_tokens_details={}))
        )
        known = Answered(Usage(11, 8), 2, "m-1", "resp_1", ("completed",), complete=True)
        for pieces in cuts(stream):
            assert watch(OPENAI, RESPONSES, NOT_ASKED, *pieces) == (stream, known)

    @pytest.mark.parametrize(
        ("kind", "fields", "reason", "failed"),
        [
            ("completed", {}, "completed", False),
            (
                "incomplete",
                {"incomplete_details": {"reason": "max_output_tokens"}},
                "max_output_tokens",
                False,
            ),
            ("failed", {"error": {"code": "server_error"}}, "failed", True),
        ],
    )
    def test_each_last_event_tells_usage_and_how_it_ended(
        self, kind: str, fields: dict[str, Any], reason: str, failed: bool
    ) -> None:
        known = answered(CREATED, last(kind, usage=usage(), **fields))
        assert known.usage == Usage(11, 8)
        assert known.finish_reasons == (reason,)
        assert known.complete
        assert known.failed is failed

    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            ([], UNREPORTED),
            ([last()], UNREPORTED),
            ([last(usage=None)], UNREPORTED),
            ([last(usage=[1])], UNREPORTED),
            ([{"type": "response.completed", "response": 7}], UNREPORTED),
            ([{"type": "response.completed", "usage": usage()}], UNREPORTED),
            ([{"type": "response.in_progress", "response": response(usage=usage())}], UNREPORTED),
            ([text("a") | {"usage": usage(), "response": response(usage=usage())}], UNREPORTED),
            ([last(usage=usage(1, 2)), last(usage=usage(3, 4))], Usage(3, 4)),
            ([last(usage=usage(1, 2)), last(usage=usage(None, -4))], Usage(1, 2)),
            ([last(usage=usage("1", 2.0))], UNREPORTED),
            ([last(usage=usage(2**60, written=True))], UNREPORTED),
            ([last(usage=usage(5, None))], Usage(5, None)),
            (
                [
                    last(
                        usage=usage(
                            input_tokens_details={"cached_tokens": 4, "cache_write_tokens": 2},
                            output_tokens_details={"reasoning_tokens": 5},
                        )
                    )
                ],
                Usage(11, 8, 4, 2, 5),
            ),
            ([last(usage=usage(input_tokens_details=[], output_tokens_details=7))], Usage(11, 8)),
        ],
    )
    def test_only_the_last_event_tells_usage(
        self, events: list[dict[str, Any]], expected: Usage
    ) -> None:
        assert answered(CREATED, *events).usage == expected

    @pytest.mark.parametrize(
        ("event", "tokens"),
        [
            (text("abcdefgh"), 2),
            (text("abcdefgh", "response.refusal.delta"), 2),
            (text("abcdefgh", "response.reasoning_text.delta"), 2),
            (text("abcdefgh", "response.reasoning_summary_text.delta"), 2),
            (text('{"a":"b"', "response.function_call_arguments.delta"), 2),
            (text("abcdefgh", "response.custom_tool_call_input.delta"), 2),
            (text("abcdefgh", "response.code_interpreter_call_code.delta"), 2),
            (text("A" * 999, "response.audio.delta"), 0),
            (text("A" * 999, "response.shell_call_output_content.delta"), 0),
            (text("abcdefgh", "response.output_text.done"), 0),
            (text(7), 0),
            (text({"text": "abcdefgh"}), 2),
        ],
    )
    def test_what_was_delivered_is_counted(self, event: dict[str, Any], tokens: int) -> None:
        assert answered(event).output_tokens_seen == tokens

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "error", "code": "server_error", "message": "x"},
            {"error": {"message": "x"}},
        ],
    )
    def test_an_error_is_a_failure(self, event: dict[str, Any]) -> None:
        stream = named_events(CREATED) + b"data: " + json.dumps(event).encode() + b"\n\n"
        passed, known = watch(OPENAI, RESPONSES, NOT_ASKED, stream)
        assert passed == stream
        assert known.failed
        assert not known.complete

    def test_text_that_looks_like_a_last_event_changes_nothing(self) -> None:
        forged = "\n\n" + named_events(last(usage=usage(1, 1))).decode()
        known = answered(CREATED, text(forged))
        assert known.usage == UNREPORTED
        assert not known.complete

    def test_a_last_event_of_several_mebibytes_is_still_read(self) -> None:
        huge = last(
            usage=usage(), output=[{"type": "image_generation_call", "result": "A" * 2**22}]
        )
        stream = named_events(CREATED, huge)
        pieces = [stream[at : at + 2**16] for at in range(0, len(stream), 2**16)]
        assert watch(OPENAI, RESPONSES, NOT_ASKED, *pieces)[1].usage == Usage(11, 8)


FRAGMENTS = st.sampled_from(
    [
        named_events(CREATED),
        named_events(last(usage=usage())),
        named_events(last(usage=usage()))[:30],
        b"data: {}\n\n",
        b'data: {"type":7}\r\r',
        b'data: {"type":"response.completed","response":[]}\n\n',
        b"\r",
        b"\n",
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12), st.sampled_from([1, 7, 10**6]))
def test_garbage_raises_nothing_and_no_cut_matters(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    known = watch(OPENAI, RESPONSES, NOT_ASKED, stream)[1]
    assert watch(OPENAI, RESPONSES, NOT_ASKED, *pieces) == (stream, known)


OUTPUT = [
    {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "abcd"}],
        "encrypted_content": "x" * 999,
    },
    {"type": "message", "content": [{"type": "output_text", "text": "abcd", "annotations": []}]},
    {"type": "function_call", "id": "x" * 99, "name": "ab", "arguments": "{}"},
]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>", Answered()),
        (500, b"", Answered(failed=True)),
        (200, b"{}", Answered(complete=True)),
        (200, b'{"usage":7,"output":7,"status":7}', Answered(complete=True)),
        (200, b'{"error":{"message":"x"}}', Answered(complete=True, failed=True)),
        (
            200,
            dump(response("completed", error=None, output=OUTPUT, usage=usage())),
            Answered(Usage(11, 8), 3, "m-1", "resp_1", ("completed",), complete=True),
        ),
        (
            200,
            dump(response("failed", error={"code": "server_error"}, usage=usage(11, 0))),
            Answered(Usage(11, 0), 0, "m-1", "resp_1", ("failed",), complete=True, failed=True),
        ),
    ],
)
def test_a_whole_answer_is_read_or_unreported(status: int, body: bytes, expected: Answered) -> None:
    assert OPENAI.read_answer(RESPONSES, status, body) == expected


def test_a_stream_is_stopped_by_an_error_event_of_this_format() -> None:
    refusal = Refusal(RefusalKind.UPSTREAM_TIMEOUT, "Too\nslow.")
    event = OPENAI.stream_error(refusal, "req_1")
    name, data, *rest = event.split(b"\n")
    assert name == b"event: error"
    assert rest == [b"", b""]
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "sequence_number": 0,
        "code": "upstream_timeout",
        "message": "Too\nslow.",
        "param": None,
        "error": {
            "message": "Too\nslow.",
            "type": "server_error",
            "param": None,
            "code": "upstream_timeout",
        },
    }


class TestRecordedEngine:
    def test_usage_of_a_plain_answer(self) -> None:
        known = OPENAI.read_answer(RESPONSES, 200, recorded("responses.json"))
        assert known.usage == Usage(11, 8, cached_tokens=0)
        assert known.output_tokens_seen == 9

    def test_usage_of_a_stream_however_it_is_cut(self) -> None:
        stream = recorded("responses.stream.sse")
        known = watch(OPENAI, RESPONSES, NOT_ASKED, stream)[1]
        assert known.usage == Usage(11, 8, cached_tokens=10)
        assert (known.model, known.finish_reasons) == ("smollm2", ("completed",))
        assert known.output_tokens_seen == 9
        for pieces in cuts(stream):
            assert watch(OPENAI, RESPONSES, NOT_ASKED, *pieces) == (stream, known)


@pytest.mark.parametrize(
    ("fields", "session"),
    [
        ({"conversation": "conv_1"}, "conv_1"),
        ({"conversation": {"id": "conv_1"}}, "conv_1"),
        ({"conversation": {}}, None),
        ({"conversation": "conv_1", "metadata": {"session_id": "s"}}, "s"),
        ({"conversation": None, "previous_response_id": "resp_1"}, None),
    ],
)
def test_a_conversation_is_a_session(fields: dict[str, Any], session: str | None) -> None:
    assert ask(**fields).session == session


@pytest.mark.parametrize("value", [7, {"id": 7}])
def test_a_conversation_of_the_wrong_type_is_refused(value: object) -> None:
    with pytest.raises(MalformedRequest, match="conversation"):
        ask(conversation=value)

"""Gemini's answers as they pass: usage, ends and errors, cut anywhere."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.dialects.gemini import COUNT_TOKENS, GENERATE, MODELS, STREAM, Gemini
from gateway.facts.dialects.port import Answered
from gateway.facts.estimate import IMAGE_TOKENS
from gateway.facts.usage import UNREPORTED, Usage
from tests.facts.dialects.answers import NOT_ASKED, cuts, events, watch

GEMINI = Gemini()


def chunk(
    text: str | None = None, finish: str | None = None, index: int = 0, **usage: Any
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model"}}
    if text is not None:
        candidate["content"]["parts"] = [{"text": text}]
    if finish is not None:
        candidate["finishReason"] = finish
    if index:
        candidate["index"] = index
    told: dict[str, Any] = {"candidates": [candidate]}
    if usage:
        told["usageMetadata"] = usage
    return {**told, "modelVersion": "m-2026", "responseId": "r1"}


def part(**part: object) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [part]}}]}


def answered(*chunks: object) -> Answered:
    return watch(GEMINI, STREAM, NOT_ASKED, events(*chunks))[1]


def usage_of(*chunks: object) -> Usage:
    return answered(*chunks).usage


class TestStreams:
    def test_a_stream_is_read_and_passed_on_untouched(self) -> None:
        stream = events(
            chunk("Hello", promptTokenCount=10, totalTokenCount=10),
            chunk(" you", promptTokenCount=10, candidatesTokenCount=2, totalTokenCount=12),
            chunk("", "STOP", promptTokenCount=10, candidatesTokenCount=7, totalTokenCount=17),
        )
        passed, known = watch(GEMINI, STREAM, NOT_ASKED, stream)
        assert passed == stream
        assert known == Answered(Usage(10, 7), 7, "m-2026", "r1", ("STOP",), complete=True)
        for pieces in cuts(stream):
            assert watch(GEMINI, STREAM, NOT_ASKED, *pieces) == (stream, known)

    @pytest.mark.parametrize("end", ["\r\n\r\n", "\r\r"])
    def test_other_ends_of_lines_are_read_too(self, end: str) -> None:
        stream = events(chunk("a", "STOP", promptTokenCount=1, candidatesTokenCount=1), end=end)
        for pieces in cuts(stream):
            passed, known = watch(GEMINI, STREAM, NOT_ASKED, *pieces)
            assert (passed, known.usage) == (stream, Usage(1, 1))

    @pytest.mark.parametrize(
        ("usage", "expected"),
        [
            ({"promptTokenCount": 10, "candidatesTokenCount": 7}, Usage(10, 7)),
            (
                {
                    "promptTokenCount": 10,
                    "toolUsePromptTokenCount": 5,
                    "cachedContentTokenCount": 4,
                    "candidatesTokenCount": 7,
                    "thoughtsTokenCount": 20,
                    "totalTokenCount": 42,
                },
                Usage(15, 27, 4, None, 20),
            ),
            # A zero is left out: all that was written are thoughts, and the ceiling was reached.
            (
                {"promptTokenCount": 10, "thoughtsTokenCount": 20, "totalTokenCount": 30},
                Usage(10, 20, None, None, 20),
            ),
            ({"promptTokenCount": 10, "totalTokenCount": 10}, Usage(10, 0)),
            (
                {"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "totalTokenCount": 16},
                Usage(15, 1),
            ),
            ({"promptTokenCount": 10}, Usage(10)),
            ({"promptTokenCount": 10, "totalTokenCount": 9}, Usage(10)),
            ({"promptTokenCount": 10, "thoughtsTokenCount": 3}, Usage(10, None, None, None, 3)),
            ({"candidatesTokenCount": 7}, Usage(None, 7)),
            ({"totalTokenCount": 17}, UNREPORTED),
            ({"promptTokenCount": -1, "candidatesTokenCount": -7}, UNREPORTED),
            ({"promptTokenCount": "10", "candidatesTokenCount": True}, UNREPORTED),
            ({"promptTokenCount": 2**50, "candidatesTokenCount": 7}, Usage(None, 7)),
            ({"trafficType": "ON_DEMAND"}, UNREPORTED),
        ],
    )
    def test_thoughts_stand_beside_the_candidates_and_tool_results_beside_the_prompt(
        self, usage: dict[str, Any], expected: Usage
    ) -> None:
        assert usage_of(chunk("a", "STOP", **usage)) == expected
        assert (
            GEMINI.read_answer(
                GENERATE, 200, json.dumps(chunk("a", "STOP", **usage)).encode()
            ).usage
            == expected
        )

    def test_counts_are_cumulative_and_the_last_one_wins(self) -> None:
        last = chunk("", "STOP", promptTokenCount=11, candidatesTokenCount=9)
        assert usage_of(
            chunk("a", promptTokenCount=10, candidatesTokenCount=3),
            chunk("b", promptTokenCount=11, candidatesTokenCount=6),
            last,
        ) == Usage(11, 9)
        assert usage_of(last, chunk("", promptTokenCount=12, candidatesTokenCount=8)) == Usage(
            12, 8
        )
        assert usage_of(last, {"candidates": []}) == Usage(11, 9)
        nonsense: dict[str, object] = {"promptTokenCount": None, "candidatesTokenCount": -1}
        assert usage_of(last, {"usageMetadata": nonsense}) == Usage(11, 9)
        assert usage_of(last, {"usageMetadata": [1]}) == Usage(11, 9)

    def test_usage_is_final_only_where_the_candidates_have_finished(self) -> None:
        known = answered(chunk("a" * 8, promptTokenCount=10, candidatesTokenCount=50))
        assert known.usage == Usage(10)
        assert not known.complete

    def test_until_then_the_running_count_tells_what_was_written(self) -> None:
        """Hidden thoughts are in no text; without a running count the text tells."""
        known = answered(
            chunk("a" * 8, promptTokenCount=1, candidatesTokenCount=2, thoughtsTokenCount=40)
        )
        assert known.output_tokens_seen == 42
        assert answered(chunk("a" * 8, promptTokenCount=1)).output_tokens_seen == 2
        assert answered(chunk("a" * 8)).output_tokens_seen == 2

    def test_all_candidates_must_have_finished(self) -> None:
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 7}
        first = chunk("a", "STOP", **usage)
        assert not answered(chunk("b", index=1), first).complete
        known = answered(chunk("b", index=1), first, chunk("", "MAX_TOKENS", 1, **usage))
        assert known.complete
        assert known.usage == Usage(10, 7)
        assert known.finish_reasons == ("STOP", "MAX_TOKENS")

    def test_a_blocked_prompt_is_an_end_and_nothing_was_written(self) -> None:
        known = answered(
            {
                "promptFeedback": {"blockReason": "SAFETY"},
                "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            }
        )
        assert known == Answered(Usage(8, 0), finish_reasons=("SAFETY",), complete=True)

    def test_text_that_looks_like_usage_changes_nothing(self) -> None:
        text = '\n\ndata: {"usageMetadata":{"promptTokenCount":1}}\n\n'
        known = answered(chunk(text, promptTokenCount=9), part(text=text))
        assert known.usage == Usage(9)

    @pytest.mark.parametrize(
        ("part_", "tokens"),
        [
            ({"text": "abcdefgh"}, 2),
            ({"text": "abcdefgh", "thought": True}, 2),
            ({"text": "", "thoughtSignature": "x" * 400}, 0),
            ({"functionCall": {"id": "x" * 99, "name": "get", "args": {"a": "bcdef"}}}, 4),
            ({"functionCall": {"name": "get"}}, 2),
            ({"executableCode": {"language": "PYTHON", "code": "12"}}, 2),
            ({"codeExecutionResult": {"outcome": "OK", "output": "abcdef"}}, 2),
            ({"inlineData": {"mimeType": "image/png", "data": "x" * 10**5}}, IMAGE_TOKENS),
            ({"inlineData": {"mimeType": 7}}, 0),
            ({"text": None, "functionCall": 7}, 0),
        ],
    )
    def test_what_was_delivered_is_counted(self, part_: dict[str, Any], tokens: int) -> None:
        assert answered(part(**part_)).output_tokens_seen == tokens

    @pytest.mark.parametrize("bare", [False, True])
    def test_an_error_in_the_stream_is_a_failure(self, bare: bool) -> None:
        """The real API was seen to write it as plain JSON between events."""
        error = {"error": {"code": 503, "message": "Later.", "status": "UNAVAILABLE"}}
        begun = events(chunk("a", promptTokenCount=1))
        ended = json.dumps(error, indent=2).encode() if bare else events(error)
        for end in (b"", b"\n\n"):
            stream = begun + ended + end
            known = watch(GEMINI, STREAM, NOT_ASKED, stream)[1]
            assert known.failed
            assert not known.complete
            for pieces in cuts(stream):
                assert watch(GEMINI, STREAM, NOT_ASKED, *pieces) == (stream, known)


def test_a_chunk_with_a_picture_is_read() -> None:
    picture = chunk("x" * 3 * 2**20, "STOP", promptTokenCount=10, candidatesTokenCount=1290)
    assert usage_of(picture) == Usage(10, 1290)


FRAGMENTS = st.sampled_from(
    [
        events(chunk("a", promptTokenCount=10)),
        events(chunk("a", "STOP", candidatesTokenCount=3))[:40],
        events({"candidates": [7, {"index": "x", "content": 7, "finishReason": 7}]}),
        events({"candidates": {"index": 1}, "promptFeedback": [], "error": None}),
        b'{"error": {}}',
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
    known = watch(GEMINI, STREAM, NOT_ASKED, stream)[1]
    assert watch(GEMINI, STREAM, NOT_ASKED, *pieces) == (stream, known)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("candidates", "content", "parts", "text", "index", "finishReason", "error"),
                    *("usageMetadata", "promptTokenCount", "candidatesTokenCount", "inlineData"),
                    *("promptFeedback", "blockReason", "functionCall", "args", "mimeType"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_or_unreported(value: object) -> None:
    body = json.dumps(value).encode()
    for known in (
        GEMINI.read_answer(GENERATE, 200, body),
        watch(GEMINI, STREAM, NOT_ASKED, b"data: " + body + b"\n\n")[1],
    ):
        assert known.output_tokens_seen >= 0
        assert (known.usage.input_tokens or 0) >= 0


class TestWholeAnswers:
    def test_an_answer_is_read(self) -> None:
        body = json.dumps(
            chunk("Hello", "STOP", promptTokenCount=10, candidatesTokenCount=3)
        ).encode()
        assert GEMINI.read_answer(GENERATE, 200, body) == Answered(
            Usage(10, 3), 3, "m-2026", "r1", ("STOP",), complete=True
        )

    def test_its_usage_is_final_whether_or_not_candidates_say_why_they_ended(self) -> None:
        body = json.dumps(chunk("Hello", promptTokenCount=10, candidatesTokenCount=3)).encode()
        assert GEMINI.read_answer(GENERATE, 200, body).usage == Usage(10, 3)

    def test_several_candidates_are_told_apart_by_their_place_or_index(self) -> None:
        both = {"candidates": [{"finishReason": "STOP"}, {"finishReason": "OTHER", "index": 1}]}
        body = json.dumps(both).encode()
        assert GEMINI.read_answer(GENERATE, 200, body).finish_reasons == ("STOP", "OTHER")

    @pytest.mark.parametrize(
        ("status", "body", "expected"),
        [
            (200, b"<html>", Answered()),
            (500, b"", Answered(failed=True)),
            (200, b"{}", Answered(complete=True)),
            (200, b"[]", Answered()),
            (200, b'{"error":{"code":500}}', Answered(complete=True, failed=True)),
            (429, b'{"error":{"code":429}}', Answered(complete=True, failed=True)),
        ],
    )
    def test_what_cannot_be_read_is_unreported(
        self, status: int, body: bytes, expected: Answered
    ) -> None:
        assert GEMINI.read_answer(GENERATE, status, body) == expected

    def test_counting_and_listing_report_nothing(self) -> None:
        body = b'{"totalTokens":7,"usageMetadata":{"promptTokenCount":7}}'
        for route in (COUNT_TOKENS, MODELS):
            assert GEMINI.read_answer(route, 200, body) == Answered(complete=True)
            failed = GEMINI.read_answer(route, 200, b'{"error":{}}')
            assert failed.complete

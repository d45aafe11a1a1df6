"""OpenAI's event streams: what passes, what is withheld, and what is known in the end.

The checklist's row "force include_usage" (field.md, 5).
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.dialects.openai_chat import CHAT, OpenAIChat
from gateway.facts.dialects.port import Answered
from gateway.facts.exchange import Ask
from gateway.facts.usage import UNREPORTED, Usage
from tests.facts.dialects.answers import ASKED, NOT_ASKED, cuts, events, recorded, watch

OPENAI = OpenAIChat()
DONE = "[DONE]"


def chunk(content: str | None = None, *, index: int = 0, **rest: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": {"content": content}, "finish_reason": None}
    choice |= {name: rest.pop(name) for name in ("delta", "finish_reason") if name in rest}
    return {"id": "chatcmpl-1", "model": "m-2026", "choices": [choice], **rest}


def usage(read: object = 11, written: object = 8, **details: Any) -> dict[str, Any]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": 99, **details}


def closing(read: object = 11, written: object = 8, **details: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "choices": [], "usage": usage(read, written, **details)}


PLAIN = (chunk("ab"), chunk("cde"), chunk(finish_reason="stop"))


def answered(*data: object, ask: Ask = NOT_ASKED) -> Answered:
    return watch(OPENAI, CHAT, ask, events(*data))[1]


class TestStreams:
    def test_the_closing_chunk_is_read_and_withheld_from_who_did_not_ask(self) -> None:
        before, withheld, after = events(*PLAIN), events(closing()), events(DONE)
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, before + withheld + after)
        assert passed == before + after
        assert known == Answered(
            usage=Usage(11, 8),
            output_tokens_seen=2,
            model="m-2026",
            response_id="chatcmpl-1",
            finish_reasons=("stop",),
            complete=True,
        )

    def test_who_asked_for_usage_gets_the_very_bytes_at_once(self) -> None:
        stream = events(*PLAIN, closing(), DONE)
        watching = OPENAI.watch_stream(CHAT, ASKED)
        assert all(
            watching.feed(stream[at : at + 1]) == stream[at : at + 1] for at in range(len(stream))
        )
        assert watching.finish() == b""
        assert watching.answered.usage == Usage(11, 8)

    def test_a_whole_event_does_not_wait_for_the_next(self) -> None:
        watching = OPENAI.watch_stream(CHAT, NOT_ASKED)
        first = events(chunk("a"))
        assert watching.feed(first + b"data: {") == first
        assert watching.finish() == b"data: {"

    @pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
    @pytest.mark.parametrize("ask", [ASKED, NOT_ASKED], ids=["asked", "not asked"])
    def test_no_cut_changes_what_passes(self, ask: Ask, end: str) -> None:
        parts = [
            events(chunk("a"), end=end),
            events(closing(1, 2), end=end),
            b": keep-alive" + end.encode(),
            events(DONE, end=end),
        ]
        kept = parts if ask is ASKED else [parts[0], *parts[2:]]
        stream = b"".join(parts)
        known = watch(OPENAI, CHAT, ask, stream)[1]
        assert known.usage == Usage(1, 2)
        for pieces in cuts(stream):
            assert watch(OPENAI, CHAT, ask, *pieces) == (b"".join(kept), known)

    @pytest.mark.parametrize(
        "last",
        [
            chunk(finish_reason="stop", usage=usage()),
            chunk(finish_reason="stop", usage=usage(), timings={"predicted_n": 8}),
        ],
    )
    def test_usage_on_the_last_chunk_with_choices_is_read_and_passed_on(
        self, last: dict[str, Any]
    ) -> None:
        stream = events(chunk("a"), last, DONE)
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, stream)
        assert passed == stream
        assert known.usage == Usage(11, 8)

    @pytest.mark.parametrize(
        "odd",
        [
            chunk("a", usage=None),
            chunk("a", usage=usage(1, 1)),  # a running total
            {"choices": [], "prompt_filter_results": []},  # Azure's first chunk
            {"choices": [], "usage": None},
            {"choices": [], "usage": [1]},
            {"choices": None, "usage": usage()},
            {"choices": {}, "usage": usage()},
            {"usage": usage()},
            [closing()],
            '{"choices":[],"usage":',
            "null",
            "NaN",
            '"choices"',
            "",
            "[" * 100_000,
        ],
    )
    def test_what_is_no_final_report_is_passed_on_and_not_read(self, odd: object) -> None:
        stream = events(odd)
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, stream)
        assert passed == stream
        assert known.usage == UNREPORTED

    @pytest.mark.parametrize(
        "text",
        [
            '\n\ndata: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n',
            '"}}],"usage":{"prompt_tokens":1,"completion_tokens":1},"choices":[]}',
            "\r\rdata: [DONE]\r\r",
            "\u2028data: [DONE]\u2028\u2028",
        ],
    )
    def test_text_that_looks_like_usage_changes_nothing(self, text: str) -> None:
        tool = chunk(delta={"tool_calls": [{"function": {"arguments": text}}]})
        stream = events(chunk(text), tool)
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, stream)
        assert passed == stream
        assert known.usage == UNREPORTED
        assert not known.complete

    @pytest.mark.parametrize(
        ("reports", "expected"),
        [
            ([usage(5, 6), usage(7, 8)], Usage(7, 8)),
            ([usage(5, 6), usage(-7, 1.5)], Usage(5, 6)),
            ([usage(-5, 6)], Usage(None, 6)),
            ([usage("6", 8.0)], UNREPORTED),
            ([usage(2**60, 6)], Usage(None, 6)),
            ([usage(2**70, 6)], Usage(None, 6)),
            ([{}], UNREPORTED),
            ([{"prompt_tokens": None, "completion_tokens": 3}], Usage(None, 3)),
            (
                [
                    usage(
                        prompt_tokens_details={"cached_tokens": 4, "cache_write_tokens": 2},
                        completion_tokens_details={"reasoning_tokens": 5},
                    )
                ],
                Usage(11, 8, 4, 2, 5),
            ),
            ([usage(prompt_tokens_details=None, completion_tokens_details=[1])], Usage(11, 8)),
        ],
    )
    def test_the_last_report_wins_and_an_absurd_count_is_none(
        self, reports: list[dict[str, Any]], expected: Usage
    ) -> None:
        stream = [{"choices": [], "usage": report} for report in reports]
        assert answered(*stream, DONE).usage == expected

    def test_each_choice_may_close_with_a_report_of_its_own(self) -> None:
        two = Ask(model="m", stream=True, choices=2)
        details = {"completion_tokens_details": {"reasoning_tokens": 2}}
        stream = (closing(11, 8, **details), chunk("b", index=1), closing(11, 5, **details), DONE)
        assert answered(*stream, ask=two).usage == Usage(11, 13, reasoning_tokens=4)
        assert answered(closing(11, 13), DONE, ask=two).usage == Usage(11, 13)
        assert answered(closing(), closing(), closing(11, 1), ask=two).usage == Usage(11, 9)

    @pytest.mark.parametrize(
        ("delta", "tokens"),
        [
            ({"content": "abcdefgh"}, 2),
            ({"content": "日本語文"}, 3),
            ({"content": [{"type": "text", "text": "abcdefgh"}]}, 2),
            ({"reasoning_content": "abcdefgh"}, 2),
            ({"reasoning": "abcdefgh"}, 2),
            ({"reasoning": "abcdefgh", "reasoning_content": "abcdefgh"}, 2),
            ({"refusal": "abcdefgh"}, 2),
            ({"tool_calls": [{"id": "x" * 99, "function": {"name": "f", "arguments": "{}"}}]}, 1),
            ({"tool_calls": [{"function": {"arguments": "abcd"}}] * 3}, 3),
            ({"function_call": {"name": "f", "arguments": "abc"}}, 1),
            ({"role": "assistant", "content": None}, 0),
            ({"content": 7, "tool_calls": {}}, 0),
            ([], 0),
        ],
    )
    def test_what_was_delivered_is_counted_by_its_bytes(self, delta: object, tokens: int) -> None:
        assert answered(chunk(delta=delta)).output_tokens_seen == tokens

    def test_small_deltas_are_not_rounded_up_one_by_one(self) -> None:
        assert answered(*[chunk("a")] * 8).output_tokens_seen == 2

    def test_all_choices_are_counted_together(self) -> None:
        known = answered(
            chunk("abcd", index=1),
            chunk("abcd", index=0),
            chunk(index=1, finish_reason="length"),
            chunk(index=0, finish_reason="stop"),
        )
        assert known.output_tokens_seen == 2
        assert known.finish_reasons == ("stop", "length")

    def test_made_up_choices_do_not_fill_the_memory(self) -> None:
        known = answered(*(chunk(index=at, finish_reason="stop") for at in range(1_000)))
        assert len(known.finish_reasons) == 128

    def test_labels_are_short_or_none(self) -> None:
        odd = {"id": ["x"], "model": "m" * 1_000, "choices": [{"finish_reason": "f" * 1_000}]}
        known = answered(odd)
        assert (known.model, known.response_id, known.finish_reasons) == (None, None, ())

    @pytest.mark.parametrize(
        "error",
        [
            events({"error": {"message": "overloaded", "code": 500}}),
            events({"error": "overloaded"}),
            b'event: error\ndata: {"message": "overloaded"}\n\n',
        ],
    )
    def test_an_error_in_the_stream_is_a_failure_that_the_client_sees(self, error: bytes) -> None:
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, events(chunk("a")) + error)
        assert passed == events(chunk("a")) + error
        assert known.failed
        assert not known.complete

    def test_a_last_event_without_its_empty_line_still_counts(self) -> None:
        stream = events(chunk("a")) + events(closing()).strip()
        assert watch(OPENAI, CHAT, NOT_ASKED, stream) == (
            events(chunk("a")),
            answered(chunk("a"), closing()),
        )
        assert watch(OPENAI, CHAT, ASKED, b"data: [DONE]\n")[1].complete

    def test_an_event_that_is_too_long_is_passed_on_unread(self) -> None:
        huge = {**closing(), "padding": "x" * 2**20}
        stream = events(chunk("a"), huge, chunk("b"), closing(), DONE)
        kept = events(chunk("a"), huge, chunk("b"), DONE)
        for size in (2**16, 2**22):
            pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
            passed, known = watch(OPENAI, CHAT, NOT_ASKED, *pieces)
            assert passed == kept
            assert known.usage == Usage(11, 8)


FRAGMENTS = st.sampled_from(
    [
        events(chunk("a")),
        events(closing()),
        events(closing())[:20],
        events(DONE),
        b"data: ",
        b"\n",
        b"\r",
        b'{"choices":[],"usage":{}}',
        b"[" * 2_000,
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12), st.sampled_from([1, 7, 10**6]))
def test_garbage_raises_nothing_and_no_cut_matters(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert watch(OPENAI, CHAT, NOT_ASKED, *pieces) == watch(OPENAI, CHAT, NOT_ASKED, stream)
    assert watch(OPENAI, CHAT, ASKED, *pieces)[0] == stream


class TestRecordedEngine:
    @pytest.mark.parametrize("name", ["chat.stream_usage.sse", "chat.tools.stream_usage.sse"])
    def test_the_closing_chunk_is_withheld_and_nothing_else(self, name: str) -> None:
        stream = recorded(name)
        withheld = [e for e in stream.split(b"\n\n") if b'"usage"' in e]
        assert len(withheld) == 1
        kept = stream.replace(withheld[0] + b"\n\n", b"")
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, stream)
        assert passed == kept
        assert known.complete
        assert known.usage.complete
        for pieces in cuts(stream):
            assert watch(OPENAI, CHAT, NOT_ASKED, *pieces) == (kept, known)

    def test_usage_of_a_plain_stream(self) -> None:
        known = watch(OPENAI, CHAT, ASKED, recorded("chat.stream_usage.sse"))[1]
        assert known.usage == Usage(11, 8, cached_tokens=10)
        assert known.model == "smollm2"
        assert known.finish_reasons == ("length",)

    def test_a_stream_without_usage_is_unreported_and_complete(self) -> None:
        stream = recorded("chat.stream.sse")
        passed, known = watch(OPENAI, CHAT, NOT_ASKED, stream)
        assert passed == stream
        assert known.usage == UNREPORTED
        assert known.complete
        assert known.output_tokens_seen == 9  # 34 bytes; the engine counts 8

    def test_two_choices_with_a_report_each_are_added_up(self) -> None:
        two = Ask(model="m", stream=True, choices=2)
        stream = recorded("chat.two_choices.stream_usage.sse")
        passed, known = watch(OPENAI, CHAT, two, stream)
        assert known.usage == Usage(11, 8, cached_tokens=10)
        assert b'"usage"' not in passed

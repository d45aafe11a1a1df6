"""Completions of old: many prompts, many choices, and text where chat has messages.

The checklist's row "n / best_of / candidates" (field.md, 5).
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.facts.dialects.openai_completions import COMPLETIONS, OpenAICompletions
from gateway.facts.dialects.port import Answered
from gateway.facts.exchange import Ask
from gateway.facts.json_text import dump
from gateway.facts.usage import UNREPORTED, Usage
from tests.facts.dialects.answers import ASKED, NOT_ASKED, cuts, events, recorded, watch

OPENAI = OpenAICompletions()
DONE = "[DONE]"


def ask(**fields: Any) -> Ask:
    body = {"model": "m", "prompt": "sixteen letters.", **fields}
    return OPENAI.read_ask(COMPLETIONS, body, 100)


def test_the_least_request_is_read() -> None:
    assert ask() == Ask(model="m", input_tokens=4, turns=1)


def test_everything_that_gauger_reads_is_read() -> None:
    assert ask(
        stream=True,
        stream_options={"include_usage": True},
        max_tokens=50,
        n=2,
        best_of=5,
        user="u",
        temperature=0,
        logprobs=0,
        suffix="four",
        echo=True,
    ) == Ask(
        model="m",
        stream=True,
        input_tokens=5,
        max_output_tokens=50,
        choices=5,
        end_user="u",
        wants_usage_chunk=True,
        temperature=0.0,
        logprobs=True,
        turns=1,
    )


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"best_of": 4}, 4),
        ({"n": 3, "best_of": 4}, 4),
        ({"n": 4, "best_of": 3}, 4),
        ({"best_of": 0}, 1),
        ({"n": None, "best_of": None}, 1),
        ({"n_cmpl": 7}, 7),
        ({"prompt": ["a", "b", "c"]}, 3),
        ({"prompt": ["a", "b", "c"], "n": 2, "best_of": 4}, 12),
        ({"prompt": [[1, 2], [3]], "n": 2}, 4),
        ({"prompt": [1, 2, 3], "n": 2}, 2),
    ],
)
def test_every_prompt_gets_as_many_choices_as_may_be_written(
    fields: dict[str, Any], choices: int
) -> None:
    assert ask(**fields).choices == choices


@pytest.mark.parametrize(
    ("fields", "ceiling"),
    [
        ({}, None),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "n_predict": 9}, 9),
        ({"max_tokens": 5, "n_predict": -1}, None),
        ({"max_completion_tokens": 5}, None),
    ],
)
def test_the_ceiling_is_as_declared(fields: dict[str, Any], ceiling: int | None) -> None:
    assert ask(**fields).max_output_tokens == ceiling


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("prompt", None),
        ("prompt", 7),
        ("prompt", []),
        ("max_tokens", -1),
        ("max_tokens", True),
        ("max_tokens", 1.5),
        ("max_tokens", "secret"),
        ("max_tokens", 2**31),
        ("n", 0),
        ("n", 129),
        ("best_of", -1),
        ("best_of", 129),
        ("best_of", "secret"),
        ("suffix", 7),
        ("stream", "true"),
        ("stream_options", []),
        ("user", 7),
        ("temperature", "secret"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(MalformedRequest) as refused:
        ask(**{field: value})
    assert refused.value.field == field
    assert "secret" not in refused.value.message


def test_a_stream_is_asked_for_its_usage() -> None:
    body = {"model": "m", "prompt": "a", "stream": True}
    asked = OPENAI.read_ask(COMPLETIONS, body, 10)
    assert OPENAI.amend(COMPLETIONS, body, asked) == {
        **body,
        "stream_options": {"include_usage": True},
    }
    assert OPENAI.amend(COMPLETIONS, {"model": "m"}, ask()) is None


def chunk(text: object = None, **rest: Any) -> dict[str, Any]:
    choice = {"index": rest.pop("index", 0), "text": text, "finish_reason": None} | {
        name: rest.pop(name) for name in ("finish_reason",) if name in rest
    }
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "model": "m-1",
        "choices": [choice],
        **rest,
    }


def usage(read: object = 5, written: object = 9) -> dict[str, Any]:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": 99}


CLOSING = {"id": "cmpl-1", "choices": [], "usage": usage()}


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
@pytest.mark.parametrize("asked", [ASKED, NOT_ASKED], ids=["asked", "not asked"])
def test_no_cut_changes_what_passes_and_only_the_closing_chunk_is_withheld(
    asked: Ask, end: str
) -> None:
    parts = [
        events(chunk("abcdefgh"), chunk("", finish_reason="length"), end=end),
        events(CLOSING, end=end),
        events(DONE, end=end),
    ]
    kept = b"".join(parts if asked is ASKED else [parts[0], parts[2]])
    expected = Answered(Usage(5, 9), 2, "m-1", "cmpl-1", ("length",), complete=True)
    for pieces in cuts(b"".join(parts)):
        assert watch(OPENAI, COMPLETIONS, asked, *pieces) == (kept, expected)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], UNREPORTED),
        ([usage(5, 9), usage(6, 10)], Usage(6, 10)),
        ([usage(-5, 2**60)], UNREPORTED),
        ([usage("5", written=True)], UNREPORTED),
        ([usage(5, 9), usage(None, -1)], Usage(5, 9)),
    ],
)
def test_usage_twice_never_or_absurd(reports: list[dict[str, Any]], expected: Usage) -> None:
    stream = events(chunk("a"), *({"choices": [], "usage": each} for each in reports), DONE)
    assert watch(OPENAI, COMPLETIONS, NOT_ASKED, stream)[1].usage == expected


def test_the_reports_of_several_choices_on_their_last_chunks_are_added_up() -> None:
    two = Ask(model="m", stream=True, choices=2)
    last = [chunk("", index=at, finish_reason="length", usage=usage(2, 4 + at)) for at in (1, 0)]
    stream = events(chunk("a"), *last, last[1], DONE)
    passed, known = watch(OPENAI, COMPLETIONS, two, stream)
    assert passed == stream
    assert known.usage == Usage(2, 9)


@pytest.mark.parametrize("index", [[1], None, "1"])
def test_a_choice_without_a_number_reports_nothing(index: object) -> None:
    two = Ask(model="m", stream=True, choices=2)
    stream = events(chunk("", index=index, finish_reason="stop", usage=usage()))
    assert watch(OPENAI, COMPLETIONS, two, stream)[1].usage == UNREPORTED


def test_made_up_choices_add_nothing() -> None:
    two = Ask(model="m", stream=True, choices=2)
    stream = events(*(chunk("", index=at, finish_reason="x", usage=usage(1, 1)) for at in range(9)))
    assert watch(OPENAI, COMPLETIONS, two, stream)[1].usage == Usage(1, 2)
    assert watch(OPENAI, COMPLETIONS, NOT_ASKED, stream)[1].usage == Usage(1, 1)


@pytest.mark.parametrize(("written", "believed"), [(24, 24), (12, 12), (11, None), (0, None)])
def test_a_report_that_cannot_be_that_of_all_choices_is_not_believed(
    written: int, believed: int | None
) -> None:
    choices = [{"index": at, "text": "sixteen letters." * 2} for at in range(3)]
    body = dump({"choices": choices, "usage": usage(2, written)})
    answered = OPENAI.read_answer(COMPLETIONS, 200, body)
    assert answered.usage == Usage(2, believed)
    assert answered.output_tokens_seen == 24


class TestRecordedEngine:
    def test_usage_of_a_plain_answer(self) -> None:
        known = OPENAI.read_answer(COMPLETIONS, 200, recorded("completions.json"))
        assert known.usage == Usage(2, 8, cached_tokens=0)
        assert (known.finish_reasons, known.complete) == (("length",), True)

    def test_usage_of_a_stream_however_it_is_cut(self) -> None:
        stream = recorded("completions.stream_usage.sse")
        known = watch(OPENAI, COMPLETIONS, NOT_ASKED, stream)[1]
        assert known.usage == Usage(2, 8, cached_tokens=1)
        assert known.complete
        for pieces in cuts(stream):
            assert watch(OPENAI, COMPLETIONS, NOT_ASKED, *pieces) == (stream, known)

    def test_two_choices_with_a_report_each_are_added_up(self) -> None:
        two = Ask(model="m", stream=True, choices=2)
        stream = recorded("completions.two_choices.stream_usage.sse")
        assert watch(OPENAI, COMPLETIONS, two, stream)[1].usage == Usage(2, 8, cached_tokens=1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html>", Answered()),
        (b'{"choices":7,"usage":7}', Answered(complete=True)),
        (b'{"error":{"message":"x"}}', Answered(complete=True, failed=True)),
        (
            dump(chunk("abcdefgh", finish_reason="stop", usage=usage())),
            Answered(Usage(5, 9), 2, "m-1", "cmpl-1", ("stop",), complete=True),
        ),
    ],
)
def test_a_whole_answer_is_read_or_unreported(body: bytes, expected: Answered) -> None:
    assert OPENAI.read_answer(COMPLETIONS, 200, body) == expected


FRAGMENTS = st.sampled_from([events(chunk("a")), events(CLOSING), b"data: ", b"\n", b"\r", b"{}"])


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12), st.sampled_from([1, 7, 10**6]))
def test_garbage_raises_nothing_and_no_cut_matters(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert watch(OPENAI, COMPLETIONS, NOT_ASKED, *pieces) == watch(
        OPENAI, COMPLETIONS, NOT_ASKED, stream
    )


def test_a_session_is_read_here_too() -> None:
    body = {"model": "m", "prompt": "Hi", "session_id": "s"}
    assert OPENAI.read_ask(COMPLETIONS, body, 0).session == "s"

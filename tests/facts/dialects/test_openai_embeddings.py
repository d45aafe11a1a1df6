"""Embeddings: all is input, and a long answer is stepped over, not read."""

from typing import Any

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.dialects.openai_embeddings import EMBEDDINGS, OpenAIEmbeddings
from gateway.facts.dialects.port import Answered
from gateway.facts.exchange import Ask
from gateway.facts.json_text import dump
from gateway.facts.usage import Usage
from tests.facts.dialects.answers import events, watch

OPENAI = OpenAIEmbeddings()


def ask(**fields: Any) -> Ask:
    body = {"model": "m", "input": "sixteen letters.", **fields}
    return OPENAI.read_ask(EMBEDDINGS, body, 100)


def test_the_least_request_is_read_and_nothing_will_be_written() -> None:
    assert ask() == Ask(model="m", input_tokens=4, max_output_tokens=0)


def test_everything_that_gauger_reads_is_read() -> None:
    asked = ask(input=["a", "b"], dimensions=9, encoding_format="float", user="u", odd=1)
    assert asked == Ask(model="m", input_tokens=2, max_output_tokens=0, end_user="u")


@pytest.mark.parametrize(
    ("field", "value"), [("model", None), ("input", None), ("input", []), ("user", 7)]
)
def test_a_wrong_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(MalformedRequest) as refused:
        ask(**{field: value})
    assert refused.value.field == field


def test_the_very_bytes_go_on() -> None:
    assert OPENAI.amend(EMBEDDINGS, {"model": "m", "input": "a"}, ask()) is None


VECTORS = [{"object": "embedding", "index": at, "embedding": [0.5, -1e-9]} for at in range(99)]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"", Answered()),
        (200, b"[]", Answered()),
        (200, b"[" * 100_000, Answered()),
        (500, b"<html>", Answered(failed=True)),
        (200, b"{}", Answered(complete=True)),
        (400, b'{"error":{"message":"x"}}', Answered(complete=True, failed=True)),
        (
            200,
            dump(
                {"object": "list", "data": VECTORS, "model": "m-1", "usage": {"prompt_tokens": 8}}
            ),
            Answered(Usage(8, 0), model="m-1", complete=True),
        ),
        (200, b'{"usage":{"prompt_tokens":-8}}', Answered(complete=True)),
        (200, b'{"usage":{"prompt_tokens":"8"}}', Answered(complete=True)),
        (200, b'{"usage":{"total_tokens":8}}', Answered(complete=True)),
        (200, b'{"usage":7,"model":["m"]}', Answered(complete=True)),
        (
            200,
            b'{"usage":{"prompt_tokens":8},"usage":{"prompt_tokens":9}}',
            Answered(Usage(9, 0), complete=True),
        ),
    ],
)
def test_a_whole_answer_is_read_or_unreported(status: int, body: bytes, expected: Answered) -> None:
    assert OPENAI.read_answer(EMBEDDINGS, status, body) == expected


def test_a_stream_that_nobody_expected_passes_and_tells_nothing() -> None:
    stream = events({"usage": {"prompt_tokens": 8}})
    assert watch(OPENAI, EMBEDDINGS, ask(), stream) == (stream, Answered())


def test_a_session_is_read_here_too() -> None:
    body = {"model": "m", "input": "Hi", "session_id": "s"}
    assert OPENAI.read_ask(EMBEDDINGS, body, 0).session == "s"

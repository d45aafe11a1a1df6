"""Usage wherever an endpoint of OpenAI's kind reports it; see also `test_declared.py`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.dialects.openai_usage import OpenAIUsage
from gateway.facts.exchange import Ask, Route
from gateway.facts.usage import Usage
from tests.facts.dialects.answers import NOT_ASKED, events, watch

OPENAI = OpenAIUsage()
ANY = Route("any", "POST", "/v1/any", generates=True)
REPORT = {"usage": {"input_tokens": 5, "output_tokens": 7}}


def test_nothing_is_read_of_what_is_asked() -> None:
    assert OPENAI.read_ask(ANY, {"model": 7}, 9, "m") == Ask(model="m")


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        ([REPORT, {"usage": {"input_tokens": 6, "output_tokens": -1}}], Usage(6, 7)),
        ([REPORT, {"response": REPORT}], Usage(5, 7)),
        ([REPORT, {"error": {}, "usage": {"input_tokens": 6}}], Usage(6, 7)),
        ([REPORT, {"error": {"message": "x"}, "usage": {"input_tokens": 6}}], Usage(5, 7)),
        (["null", "[1]", "NaN"], Usage()),
    ],
)
def test_the_last_report_of_a_stream_wins(data: list[object], usage: Usage) -> None:
    assert watch(OPENAI, ANY, NOT_ASKED, events(*data))[1].usage == usage


@given(st.lists(st.sampled_from([events(REPORT), b"data: ", b"\n", b"{}"]) | st.binary()))
def test_garbage_raises_nothing_and_passes(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    assert watch(OPENAI, ANY, NOT_ASKED, *parts)[0] == stream

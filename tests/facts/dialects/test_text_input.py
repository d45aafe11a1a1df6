"""A prompt may be text, tokens, or many of either; each is counted, whatever is mixed in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.facts.dialects.text_input import Texts, read_texts


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("sixteen letters.", Texts(1, 4)),
        ("", Texts(1, 1)),
        ("日本語", Texts(1, 3)),
        (["sixteen letters.", "a"], Texts(2, 5)),
        ([1, 2, 3], Texts(1, 3)),
        ([0], Texts(1, 1)),
        ([[1, 2], [3]], Texts(2, 3)),
        (["sixteen letters.", [1, 2, 3]], Texts(2, 7)),
        ([1] * 5_000, Texts(1, 5_000)),
        ([""] * 2_048, Texts(2_048, 2_048)),
    ],
)
def test_texts_and_tokens_are_counted(value: object, texts: Texts) -> None:
    assert read_texts({"prompt": value}, "prompt") == texts


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "missing"),
        ({"input": None}, "null"),
        ({"input": 7}, "a number"),
        ({"input": {"secret": 1}}, "an object"),
        ({"input": []}, "an empty array"),
        ({"input": [[]]}, "an array with something else in it"),
        ({"input": ["secret", 1]}, "an array with something else in it"),
        ({"input": [1, "secret"]}, "an array with something else in it"),
        ({"input": [1, True]}, "an array with something else in it"),
        ({"input": [1, -1]}, "an array with something else in it"),
        ({"input": [1, 1.5]}, "an array with something else in it"),
        ({"input": [[1], [[2]]]}, "an array with something else in it"),
        ({"input": [{"text": "secret"}]}, "an array with something else in it"),
        ({"input": ["secret"] * 2_049}, "an array of 2,049"),
    ],
)
def test_anything_else_is_refused_by_name_and_not_repeated(
    body: dict[str, object], found: str
) -> None:
    with pytest.raises(MalformedRequest) as refused:
        read_texts(body, "input")
    assert refused.value.field == "input"
    assert refused.value.message.startswith(f'"input" is {found}; allowed is ')
    assert "secret" not in refused.value.message


@given(st.lists(st.text(max_size=9) | st.lists(st.integers(0, 9), min_size=1), min_size=1))
def test_something_is_never_nothing(value: list[object]) -> None:
    texts = read_texts({"input": value}, "input")
    assert texts.tokens >= texts.count == len(value)

"""Two spellings of a field are one field, and never two values."""

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.dialects.gemini_fields import objects, spellings, spelt

NAMES = spellings("maxOutputTokens", "tools")


def test_the_second_spelling_is_that_of_the_protobuf() -> None:
    assert NAMES == (("maxOutputTokens", "max_output_tokens"), ("tools", "tools"))


@pytest.mark.parametrize("name", ["maxOutputTokens", "max_output_tokens"])
def test_either_spelling_is_found_under_its_full_name(name: str) -> None:
    assert spelt({name: 7, "x": 1}, NAMES, "config.") == {"config.maxOutputTokens": 7}


def test_a_null_is_there_and_a_missing_field_is_not() -> None:
    assert spelt({"tools": None}, NAMES) == {"tools": None}


@pytest.mark.parametrize("value", [7, None])
def test_a_field_in_both_spellings_is_refused_even_if_one_is_null(value: object) -> None:
    with pytest.raises(MalformedRequest, match='"max_output_tokens"') as refused:
        spelt({"maxOutputTokens": 7, "max_output_tokens": value}, NAMES, "config.")
    assert refused.value.field == "config.maxOutputTokens"


def test_a_single_object_stands_for_a_list_of_one() -> None:
    one = {"text": "a"}
    assert list(objects(one, "parts")) == [("parts", one)]
    assert list(objects([one, one], "parts")) == [("parts[0]", one), ("parts[1]", one)]
    assert list(objects(None, "parts")) == []


@pytest.mark.parametrize(
    ("value", "field"), [("secret", "parts"), (7, "parts"), ([{}, "secret"], "parts[1]")]
)
def test_what_is_no_list_of_objects_is_refused_by_its_place(value: object, field: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        list(objects(value, "parts"))
    assert refused.value.field == field
    assert "secret" not in refused.value.message

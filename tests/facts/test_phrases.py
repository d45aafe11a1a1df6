"""All lists in one pass."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.phrases import PhraseLists


def test_each_list_with_a_phrase_in_a_text_is_named_once() -> None:
    lists = PhraseLists({"b": ["one", "two"], "a": ["three"], "c": ["four"]})
    assert lists.matched("one two", "three") == ("a", "b")


def test_no_lists_match_nothing() -> None:
    assert PhraseLists({}).matched("anything") == ()


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    PhraseLists({"a": ["(x+x+)+y"]}).matched(text)

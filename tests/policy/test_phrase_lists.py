import pytest

from gateway.policy.phrase_lists import (
    MOST_PHRASES,
    beside,
    file_problems,
    named_in,
    phrase_fault,
    phrases_of,
)
from gateway.policy.rate import NotUnderstood


def test_every_line_is_a_phrase_but_for_comments_and_empty_ones() -> None:
    found = phrases_of("# tackle\n\n  rod \nfly # fishing\r\nreel")
    assert [(one.text, one.line) for one in found] == [
        ("rod", 2),
        ("fly # fishing", 3),
        ("reel", 4),
    ]


def test_a_list_lies_beside_the_file_that_names_it() -> None:
    assert beside("policies/a.yaml", "lists/x.txt") == "policies/lists/x.txt"
    assert beside("a.yaml", "./x.txt") == "x.txt"


@pytest.mark.parametrize("path", ["../x.txt", "/etc/x.txt", "x.yaml", "x", "a/../../x.txt"])
def test_a_list_lies_nowhere_else(path: str) -> None:
    with pytest.raises(NotUnderstood, match=r"no list beside this file"):
        beside("policies/a.yaml", path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lists: {a: {phrases: x.txt}, b: {phrases: [rod]}, c: {phrases: y.txt}}", ["x", "y"]),
        ("lists: {a: {phrases: ../x.txt}, b: phrases}", []),
        ("lists: phrases", []),
        ("- phrases", []),
        ("phrases: [", []),
        ("quotas: []", []),
    ],
)
def test_what_a_file_names_is_found_as_far_as_it_can_be_read(text: str, names: list[str]) -> None:
    assert list(named_in("p/a.yaml", text)) == [f"p/{name}.txt" for name in names]


@pytest.mark.parametrize("phrase", ["step by step", r"(show|tell) me\.", "請一步一步", "été"])
def test_a_phrase_is_plain_words_or_a_pattern(phrase: str) -> None:
    assert phrase_fault(phrase) is None


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("(", "is not a pattern: missing )"),
        ("(?=a)", "is not a pattern: invalid perl operator"),
        ("((a{999}){999}){999}", "is not a pattern: "),
        ("a|b*", "matches every prompt"),
        (" ", "has 1 to 300 characters"),
        ("x" * 301, "this one has 301"),
        ("\ud800", "is not a pattern"),
        ("step\uff08", "is not a pattern: missing )"),  # a wide bracket is searched as one
    ],
)
def test_what_is_no_phrase_is_told(phrase: str, words: str) -> None:
    assert words in (phrase_fault(phrase) or "")


def test_a_list_has_an_end() -> None:
    (problem,) = file_problems("x.txt", "rod\n" * (MOST_PHRASES + 1))
    assert str(problem).startswith("x.txt:1:1: This list has 5,001 phrases.")


def test_a_line_that_ends_where_yaml_sees_no_end_breaks_nothing() -> None:
    (problem,) = file_problems("x.txt", "rod\u2028(reel\n")
    assert problem.file == "x.txt"

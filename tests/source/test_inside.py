import pytest

from gateway.source.inside import place_inside
from gateway.source.yaml_text import read

MARK = "@"


def place_of_mark(yaml: str) -> tuple[int, int, str]:
    """Where the mark in a value is found, counted from 0, and what stands there."""
    document = read("f", yaml)
    assert document.problems == ()
    assert isinstance(document.value, dict)
    text = document.value["a"]
    assert isinstance(text, str)
    place = place_inside(document, ("a",), text, text.index(MARK))
    return place.line, place.column, document.source.lines[place.line][place.column :][:1]


@pytest.mark.parametrize(
    ("yaml", "line", "column"),
    [
        ("a: x == @", 0, 8),
        ("a:    x == @", 0, 11),
        ("a: 'x == @'", 0, 9),
        ('a: "x == @"', 0, 9),
        ("a: 'it''s == @'", 0, 13),
        ('a: "x \\"y\\" == @"', 0, 15),
        ("a: |\n  x ==\n    @", 2, 4),
        ("a: |  # a comment @\n  x == @", 1, 7),
        ("a: >-\n  x\n\n  == @\n", 3, 5),
        ("a: x ==\n  y @", 1, 4),
        ("a: 'x ==\n\n   @'", 2, 3),
        ("b: '@'\na: >2\n   x\n  @", 3, 2),
        ("a: é€ @", 0, 6),
        ("b: 1\nc: {d: e}\na: x @ y @", 2, 5),
    ],
)
def test_a_character_is_found_where_it_is_written(yaml: str, line: int, column: int) -> None:
    assert place_of_mark(yaml) == (line, column, MARK)


def test_white_space_stands_for_what_follows_it() -> None:
    document = read("f", "a: x  ==   y")
    assert place_inside(document, ("a",), "x  ==   y", 1).column == 6


def test_behind_the_end_is_behind_the_last_character() -> None:
    document = read("f", "a: |\n  x ==\n  y   \nb: c")
    place = place_inside(document, ("a",), "x ==\ny   \n", 9)
    assert (place.line, place.column) == (2, 3)


def test_behind_an_escape_the_place_is_still_inside_the_file() -> None:
    document = read("f", 'a: "\\u0041 == @"')
    place = place_inside(document, ("a",), "A == @", 5)
    assert place.line == 0
    assert 4 <= place.column <= 15

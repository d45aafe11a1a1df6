from enum import StrEnum
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import AfterValidator, Field, StrictInt

from gateway.source.model import Written, validate
from gateway.source.problems import Problem, Problems
from gateway.source.yaml_text import read


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


def _short(text: str) -> str:
    if len(text) > 5:
        raise ValueError("Write less.")
    return text


class Leaf(Written):
    later_keys: ClassVar = {"wind": "weather"}

    name: Annotated[str, AfterValidator(_short), Field(description="what it is called.")]
    colour: Colour = Colour.GREEN
    side: Literal["upper", "lower"] = "upper"
    size: StrictInt = 1
    weight: Annotated[float, Field(gt=0)] = 1.0
    notes: dict[str, str] = {}  # noqa: RUF012  pydantic copies it


class Tree(Written):
    leaves: tuple[Leaf, ...] = ()
    root: Leaf | None = None


def problems(text: str, *, secret: bool = False) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as raised:
        validate(Tree, read("f", text, secret=secret))
    return raised.value.problems


def test_a_sound_document_becomes_the_model() -> None:
    tree = validate(Tree, read("f", "leaves:\n  - {name: a, colour: red, notes: {x: y}}\n"))
    assert tree == Tree(leaves=(Leaf(name="a", colour=Colour.RED, notes={"x": "y"}),))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            "leaves:\n  - name: a\n    color: red\n",
            (3, 5),
            (
                '"color" is not a key here. Allowed: name, colour, side, size, weight, notes. '
                'Did you mean "colour"?'
            ),
        ),
        (
            "leaves:\n  - name: a\n    wind: 5\n",
            (3, 5),
            (
                'This version of gauger does not know "wind" (weather) and would not enforce it. '
                "Delete it, or install a version that does."
            ),
        ),
        (
            "leaves:\n  - name: a\n  - size: 2\n",
            (3, 5),
            '"name" is missing here. Add it: what it is called.',
        ),
        ("root: {}", (1, 7), '"name" is missing here. Add it: what it is called.'),
        (
            "root: {name: a, colour: rod}",
            (1, 25),
            '"colour: rod" is not allowed. Allowed: red, green, blue. Did you mean "red"?',
        ),
        (
            "root: {name: a, side: 5}",
            (1, 23),
            '"side: the number 5" is not allowed. Allowed: upper, lower.',
        ),
        ("root: {name: 5}", (1, 14), '"name" must be text, not the number 5. Put it in quotes.'),
        ("root: {name: [a]}", (1, 14), '"name" must be text, not a list.'),
        ("root: {name: }", (1, 8), '"name" must be text, not nothing.'),
        ("root: {name: abcdef}", (1, 14), "Write less."),
        ('root: {name: a, size: "2"}', (1, 23), '"size" must be a whole number, not the text "2".'),
        ("root: {name: a, weight: 0}", (1, 25), '"weight": Input should be greater than 0.'),
        (
            "root: {name: a, notes: x}",
            (1, 24),
            '"notes" must be a mapping (lines of `key: value`), not the text "x".',
        ),
        (
            "root: {name: a, notes: {k: true}}",
            (1, 28),
            '"k" must be text, not the truth value true. Put it in quotes.',
        ),
        (
            "leaves: {name: a}",
            (1, 9),
            '"leaves" must be a list (every entry begins with "- "), not a mapping.',
        ),
        (
            "leaves:\n  - a\n",
            (2, 5),
            '"leaves" must be a mapping (lines of `key: value`), not the text "a".',
        ),
        ("- a", (1, 1), "The file must be a mapping (lines of `key: value`), not a list."),
    ],
)
def test_what_the_model_refuses_is_told_in_the_operators_words(
    text: str, place: tuple[int, int], message: str
) -> None:
    (problem,) = problems(text)
    assert (problem.line, problem.column) == place
    assert problem.message == message


def test_a_mistyped_key_is_not_told_a_second_time_as_missing() -> None:
    assert [p.message.split(".")[0] for p in problems("root:\n  naame: a\n")] == [
        '"naame" is not a key here'
    ]


def test_problems_of_the_yaml_and_of_its_meaning_come_together() -> None:
    found = problems("leaves:\n  - {name: 5, name: b}\nroot: {name: c, x: y}\n")
    assert [(p.line, p.column) for p in found] == [(2, 12), (2, 15), (3, 17)]


def test_a_value_refused_as_yaml_is_told_once() -> None:
    (problem,) = problems("root: {name: *x}")
    assert "Aliases" in problem.message


def test_a_sound_model_does_not_excuse_bad_yaml() -> None:
    (problem,) = problems("root: {name: a, name: b}")
    assert "twice" in problem.message


def test_a_file_that_is_no_yaml_is_not_held_against_the_model() -> None:
    (problem,) = problems("root: [")
    assert "not closed" in problem.message or "missing" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "root: {name: sk-4242}",
        "root: {name: 4242}",
        "root: {name: a, colour: sk-4242}",
        "root: {sk-4242: a}",
        "root: {name: a, notes: sk-4242}",
        "root: {name: a, size: 4242.5}",
    ],
)
def test_of_a_secret_text_nothing_is_repeated(text: str) -> None:
    for problem in problems(text, secret=True):
        assert "4242" not in problem.message + problem.excerpt

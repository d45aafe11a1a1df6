import pytest

from gateway.source.problems import PROBLEMS_SHOWN
from gateway.source.yaml_text import MAX_BYTES, MAX_DEPTH, Document, Value, read, read_each


def located(document: Document) -> list[tuple[int, int]]:
    return [(problem.line, problem.column) for problem in document.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: 010", {"a": 10}),
        ('a: "010"', {"a": "010"}),
        ("a: 'null'", {"a": "null"}),
        ("a:", {"a": None}),
        ("---\na: [1, x]\n...\n", {"a": [1, "x"]}),
        ("- {a: b}\n- c\n", [{"a": "b"}, "c"]),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("a: b # comment\twith a tab\n", {"a": "b"}),
        ("é: ü\r\nb: c\r\n", {"é": "ü", "b": "c"}),
        ('"": {}', {"": {}}),
        ("null", None),
    ],
)
def test_plain_yaml_is_read(text: str, value: Value) -> None:
    document = read("f", text)
    assert document.problems == ()
    assert document.complete
    assert document.value == value


def test_every_key_and_value_has_its_place() -> None:
    document = read("f", "quotas:\n  - id: a\n    per: [x, y]\n    why:\n")
    rule = ("quotas", 0)
    assert document.key_place(("quotas",)).line == 0
    assert (document.value_place(rule).line, document.value_place(rule).column) == (1, 4)
    assert (document.key_place((*rule, "per")).line, document.key_place((*rule, "per")).column) == (
        2,
        4,
    )
    assert document.value_place((*rule, "per", 1)).column == 13
    assert document.value_place((*rule, "why")) == document.key_place((*rule, "why"))


def test_what_was_not_written_stands_where_what_is_around_it_stands() -> None:
    document = read("f", "a:\n  b: c\n")
    assert document.value_place(("a", "limit", 0)) == document.value_place(("a",))
    assert document.key_place(("a", "limit")) == document.value_place(("a",))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1), '"a" is written twice; first in line 1'),
        ("a: &x 1", (1, 4), "Anchors"),
        ("a: *x", (1, 4), "Aliases"),
        ("*x : a", (1, 1), "Aliases"),
        ("a: !!str 1", (1, 4), "Tags"),
        ("a: !!python/object/apply:os.system [ls]", (1, 4), "Tags"),
        ("a: ! b", (1, 4), "Tags"),
        ("!!map {a: b}", (1, 1), "Tags"),
        ("!!str a: b", (1, 1), "Tags"),
        ("<<: {a: b}", (1, 1), "Merge keys"),
        ("1: a", (1, 1), "A key must be text; this is the number 1"),
        ("true: a", (1, 1), "A key must be text; this is the truth value true"),
        ("~: a", (1, 1), "A key must be text; this is nothing"),
        ("? [a, b]\n: c", (1, 3), "A key must be text; this is a list"),
        ("a: b\n---\nc: d\n", (2, 1), "A second document"),
        ("%YAML 1.1\n---\na: b\n", (1, 1), "directive"),
        ("a: " + "9" * 500, (1, 4), "Too long"),
        ("9" * 500 + ": a", (1, 1), "Too long"),
        ("", (1, 1), "holds nothing"),
        ("# only a comment\n", (1, 1), "holds nothing"),
        ("a: b\n\tc: d\n", (2, 1), "A tab in the indentation"),
        ("a:\n  \tb: c\n", (2, 3), "A tab in the indentation"),
        ("a: b\x00c", (1, 5), "U+0000"),
        ("a: b\x1bc", (1, 5), "U+001B"),
        ("a: b\u2028c: d", (1, 5), "U+2028"),
        ("a: b\x85c: d", (1, 5), "U+0085"),
        ("a: \ud800", (1, 4), "U+D800"),
        ("\ufeffa: b", (1, 1), "byte order mark"),
        ("a: b: c", (1, 5), "in one line"),
        ("a: 'b", (1, 6), "Close the quotes"),
        ("a: [b, c", (1, 9), "not closed"),
        ("a: {b: c", (1, 9), "not closed"),
        ("a: @b", (1, 4), "cannot begin with this character"),
        ("a: b\nc\nd: e\n", (3, 1), "A key without"),
        ("a: b\n c: d\n", (2, 3), "in one line"),
        ('a: "\\q"', (1, 5), "escape"),
        ("a: - b", (1, 4), "A list cannot begin here"),
        ("%TAG ! !\n%TAG ! !\n---\na: b", (2, 1), "not YAML: found duplicate %TAG directive."),
        ("- " * 50 + "a", (1, 2 * MAX_DEPTH + 1), "Nested"),
    ],
)
def test_what_yaml_hides_is_refused_where_it_stands(
    text: str, place: tuple[int, int], words: str
) -> None:
    document = read("f", text)
    assert located(document) == [place]
    assert words in document.problems[0].message


@pytest.mark.parametrize("text", ["[" * 500_000, "{a: " * 100_000, "? " * 100_000])
def test_a_bottomless_file_is_refused_early(text: str) -> None:
    document = read("f", text)
    assert "Nested" in document.problems[-1].message
    assert not document.complete


def test_a_duplicate_keeps_the_first_value() -> None:
    assert read("f", "limit: 10\nlimit: 1000000\n").value == {"limit": 10}


def test_an_unusable_key_does_not_hide_what_is_below_and_after_it() -> None:
    document = read("f", "1: {x: &a b}\n[c]: *d\ne: *f\n")
    assert located(document) == [(1, 1), (1, 8), (2, 1), (2, 6), (3, 4)]


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ]
    bomb = "\n".join(lines)
    assert len(bomb) < 350
    document = read("f", bomb)
    assert len(document.problems) == 8 + 7 * 9
    assert document.refused == {(key, at) for key in "bcdefgh" for at in range(9)}


def test_a_file_over_the_cap_is_not_read() -> None:
    assert read("f", "#" * (MAX_BYTES - 5) + "\na: b").complete
    document = read("f", "é" * (MAX_BYTES // 2 + 1))
    assert located(document) == [(1, 1)]
    assert "at most 1,048,576 are read" in document.problems[0].message


@pytest.mark.parametrize("text", ["a: 1\n" * 5_000, "\x01" * 5_000, "\t\n" * 5_000])
def test_reading_stops_after_very_many_problems(text: str) -> None:
    document = read("f", text)
    assert len(document.problems) == PROBLEMS_SHOWN + 1
    assert not document.complete


def test_the_file_may_also_end_in_an_error_when_no_further_problem_would_be_shown() -> None:
    document = read("f", "a: 1\n" * (PROBLEMS_SHOWN + 1) + "b: [")
    assert len(document.problems) == PROBLEMS_SHOWN + 1
    assert located(document)[-1][0] == PROBLEMS_SHOWN + 2


@pytest.mark.parametrize(
    "text", ["sk-123: a\nsk-123: b", "12345678: a", "a: sk-123: b", "? {sk-123: a}\n: b"]
)
def test_of_a_secret_text_nothing_is_repeated(text: str) -> None:
    document = read("f", text, secret=True)
    assert document.problems
    for problem in document.problems:
        assert "123" not in problem.message + problem.excerpt


def test_a_file_of_several_documents_is_read_one_by_one_with_places_of_the_whole_file() -> None:
    first, second = read_each("f", "a: 1\n---\nb: [x]\n")
    assert (first.value, second.value) == ({"a": 1}, {"b": ["x"]})
    assert second.value_place(("b", 0)).line == 2
    assert first.problems == second.problems == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: 1", [{"a": 1}]),
        ("---\na: 1\n...\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---\n", [{"a": 1}, None]),
    ],
)
def test_documents_begin_where_yaml_says(text: str, values: list[Value]) -> None:
    assert [document.value for document in read_each("f", text)] == values


def test_behind_a_document_that_is_no_yaml_nothing_is_read() -> None:
    first, second = read_each("f", "a: 1\n---\nb: [\n---\nc: 1\n")
    assert first.value == {"a": 1}
    assert not second.complete
    assert [problem.line for problem in second.problems] == [4]


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: \x00", "a: b\n" * MAX_BYTES])
def test_of_a_file_that_cannot_be_read_there_is_one_document_that_says_so(text: str) -> None:
    (document,) = read_each("f", text)
    assert not document.complete
    assert len(document.problems) == 1


def test_every_document_is_held_to_the_same_rules() -> None:
    documents = read_each("f", "a: &x 1\n---\nb: *x\n---\nc: 1\nc: 2\n")
    assert [problem.line for one in documents for problem in one.problems] == [1, 3, 6]

from gateway.errors import OperatorError
from gateway.source.problems import (
    EXCERPT_CHARACTERS,
    PROBLEMS_SHOWN,
    START,
    Place,
    Problem,
    Problems,
    Source,
    first_of,
)


def test_a_problem_reads_as_editors_expect_it() -> None:
    assert str(Problem("policies/a.yaml", 14, 12, "Wrong.")) == "policies/a.yaml:14:12: Wrong."


def test_problems_are_an_operators_error_that_tells_all_in_order() -> None:
    late, early, other = (Problem(f, n, 1, "x") for f, n in (("a", 9), ("a", 2), ("b", 1)))
    raised = Problems([late, other, early])
    assert isinstance(raised, OperatorError)
    assert raised.problems == (early, late, other)
    assert str(raised) == "a:2:1: x\na:9:1: x\nb:1:1: x"


def test_a_place_counts_from_one_for_people() -> None:
    problem = Source("f", "one\ntwo").problem(Place(1, 2), "x")
    assert (problem.line, problem.column, problem.excerpt) == (2, 3, "two")


def test_a_place_behind_the_end_is_moved_to_the_end() -> None:
    source = Source("f", "one\ntwo\n")
    at_end = source.problem(Place(2, 0), "x")
    assert (at_end.line, at_end.column, at_end.excerpt) == (2, 4, "two")
    assert source.problem(Place(0, 99), "x").column == 4
    assert Source("f", "").problem(START, "x").line == 1


def test_every_kind_of_line_break_ends_a_line() -> None:
    assert Source("f", "a\r\nb\rc\nd").lines == ("a", "b", "c", "d")


def test_an_excerpt_keeps_its_columns_and_obeys_no_terminal() -> None:
    assert Source("f", "a\tb\x1b[31m").problem(START, "x").excerpt == "a b\ufffd[31m"


def test_an_excerpt_of_a_long_line_is_cut_and_absent_where_it_would_not_show_the_place() -> None:
    source = Source("f", "x" * 10_000)
    assert len(source.problem(START, "x").excerpt) == EXCERPT_CHARACTERS
    assert source.problem(Place(0, EXCERPT_CHARACTERS), "x").excerpt == ""


def test_a_secret_source_is_never_excerpted() -> None:
    assert Source("f", "sk-123", secret=True).problem(START, "x").excerpt == ""


def test_of_very_many_problems_the_first_are_shown_and_that_there_are_more() -> None:
    many = [Problem("f", n, 1, "x") for n in range(1, 1_000)]
    shown = first_of(reversed(many))
    assert shown[:PROBLEMS_SHOWN] == many[:PROBLEMS_SHOWN]
    assert [p.line for p in shown[PROBLEMS_SHOWN:]] == [PROBLEMS_SHOWN + 1]
    assert "More problems follow" in shown[-1].message
    assert first_of(many[:PROBLEMS_SHOWN]) == many[:PROBLEMS_SHOWN]

"""Each row of the checklist is shown by tests that exist, or says why it is not."""

import importlib
import inspect

import pytest

from tests.checklist.page import PAGE, tests_of, written
from tests.checklist.rows import LISTS, Open

ROWS = [
    pytest.param(shown, id=row.replace("::", " "))
    for rows in LISTS.values()
    for row, shown in rows.items()
]
NAMED = sorted({test for param in ROWS for test in tests_of(param.values[0])})  # type: ignore[arg-type]


@pytest.mark.parametrize("test", NAMED)
def test_what_shows_a_row_is_a_test_that_pytest_collects(test: str) -> None:
    file, *names = test.split("::")
    found = importlib.import_module(f"tests.{file.removesuffix('.py').replace('/', '.')}")
    for name in names:
        assert name.startswith(("test_", "Test"))
        found = getattr(found, name)
    assert inspect.isfunction(found)
    assert file.rpartition("/")[2].startswith("test_")


@pytest.mark.parametrize("shown", ROWS)
def test_a_row_without_a_test_says_why(shown: object) -> None:
    if isinstance(shown, Open):
        assert shown.reason
    else:
        assert tests_of(shown)  # type: ignore[arg-type]


def test_no_row_stands_twice() -> None:
    rows = [row for rows in LISTS.values() for row in rows]
    assert len(rows) == len(set(rows))


def test_the_page_is_what_the_rows_say() -> None:
    assert PAGE.read_text("utf-8") == written(), "write it anew: python -m tests.checklist"

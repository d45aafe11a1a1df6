"""Each row of the checklist is shown by tests that exist, or says why it is not."""

import importlib
import inspect

import pytest

from tests.checklist.page import PAGE, shown_by, written
from tests.checklist.rows import LISTS, Open

ROWS = [(row, shown) for rows in LISTS.values() for row, shown in rows.items()]
NAMED = sorted({test for _, shown in ROWS for test in shown_by(shown)})


@pytest.mark.parametrize("test", NAMED)
def test_what_shows_a_row_is_a_test_that_pytest_collects(test: str) -> None:
    file, *names = test.split("::")
    found = importlib.import_module(f"tests.{file.removesuffix('.py').replace('/', '.')}")
    for name in names:
        assert name.startswith(("test_", "Test"))
        found = getattr(found, name)
    assert inspect.isfunction(found)
    assert file.rpartition("/")[2].startswith("test_")


def test_a_row_without_a_test_says_why() -> None:
    for row, shown in ROWS:
        assert shown.reason if isinstance(shown, Open) else shown_by(shown), row


def test_no_row_stands_twice() -> None:
    assert len({row for row, _ in ROWS}) == len(ROWS)


def test_the_page_is_what_the_rows_say() -> None:
    assert PAGE.read_text("utf-8") == written(), "write it anew: python -m tests.checklist"

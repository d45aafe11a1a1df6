"""Each row of the table has its test, and each such test has its row."""

import importlib
from pathlib import Path

import pytest

from tests.endings.table import SHOWN, documented

MODULES = sorted(Path(__file__).parent.glob("test_*.py"))


@pytest.fixture(scope="module")
def shown() -> dict[str, list[str]]:
    for module in MODULES:
        importlib.import_module(f"tests.endings.{module.stem}")
    return SHOWN


def test_every_row_of_the_table_is_shown_by_a_test(shown: dict[str, list[str]]) -> None:
    rows = documented()
    assert len(rows) == len(set(rows)) >= 25
    assert set(shown) == set(rows)


def test_what_shows_a_row_is_a_test_that_pytest_collects(shown: dict[str, list[str]]) -> None:
    for tests in shown.values():
        for test in tests:
            module, name = test.split("::")
            assert name.startswith("test_")
            assert hasattr(importlib.import_module(module), name)

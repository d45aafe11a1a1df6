"""The table in the documentation, and which tests show its rows."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

DOCUMENT = Path(__file__).parents[2] / "gateway" / "docs" / "settlement.md"

_ROW = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)

Test = TypeVar("Test", bound=Callable[..., object])

SHOWN: dict[str, list[str]] = {}
"""By the key of a row, `module::test`."""


def documented() -> list[str]:
    """The keys of the rows, in their order."""
    return _ROW.findall(DOCUMENT.read_text())


def row(key: str) -> Callable[[Test], Test]:
    """The test shows this row of the table."""

    def shown(test: Test) -> Test:
        SHOWN.setdefault(key, []).append(f"{test.__module__}::{test.__name__}")
        return test

    return shown

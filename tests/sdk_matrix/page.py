"""The tables of `gateway/docs/sdks.md`, read back: what is written there is what is expected."""

from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "gateway/docs/sdks.md"


def cells(page: str) -> Mapping[tuple[str, str], str]:
    """By the first cell of the row and the heading of the column. Both are unique on the page."""
    found: dict[tuple[str, str], str] = {}
    head: list[str] = []
    for line in page.splitlines():
        if not line.startswith("|"):
            head = []
            continue
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = row
        elif set(row[0]) != {"-"}:
            for column, cell in zip(head[1:], row[1:], strict=True):
                found[row[0], column] = cell
    return found

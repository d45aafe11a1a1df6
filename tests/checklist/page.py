"""The page `gateway/docs/checklist.md`, written from the rows."""

from pathlib import Path

from tests.checklist.rows import LISTS, Open, Shown

PAGE = Path(__file__).parents[2] / "gateway/docs/checklist.md"

HEAD = """\
# Checklist

What others can do, and what a gateway for model APIs must know besides; with each the test that
shows it here. Written by `python -m tests.checklist`; a test holds this page to the list, and the
list to the tests.
"""


def shown_by(shown: Shown) -> tuple[str, ...]:
    if isinstance(shown, Open):
        return ()
    return (shown,) if isinstance(shown, str) else tuple(shown)


def written() -> str:
    parts = [HEAD]
    for heading, rows in LISTS.items():
        open_rows = sum(isinstance(shown, Open) for shown in rows.values())
        parts.append(f"\n## {heading}\n\n{len(rows)} rows, {open_rows} of them open.\n\n")
        parts.append("| row | shown by |\n|---|---|\n")
        parts += [f"| {row} | {_cell(shown)} |\n" for row, shown in rows.items()]
    return "".join(parts)


def _cell(shown: Shown) -> str:
    if isinstance(shown, Open):
        return f"open: {shown.reason}"
    return "<br>".join(f"`{test}`" for test in shown_by(shown))

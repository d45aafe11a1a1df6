"""What the house promises of its files: their size, their names, and a test for each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "gateway").rglob("*.py"))
EXPLAINS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base"}
TOP_LEVEL = {
    "pyproject.toml",
    "gateway",
    "policies",
    "tests",
    "helm",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "Dockerfile",
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_file_is_longer_than_a_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_name_says_what_is_inside(path: Path) -> None:
    assert path.stem not in EXPLAINS_NOTHING


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_opens_with_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if path.name not in {"__init__.py", "__main__.py"} and tree.body:
        assert ast.get_docstring(tree), "begin the file with one sentence that says what it is"


def test_the_top_level_holds_only_what_was_agreed() -> None:
    tracked = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    scratch = {"dist", "build"}
    assert {n for n in tracked - TOP_LEVEL - scratch if not n.endswith(".egg-info")} == set()

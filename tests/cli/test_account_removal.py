from pathlib import Path

import pytest

from tests.cli.conftest import Run

A, B, C = "a" * 64, "bb1" + "b" * 61, "bb2" + "c" * 61
WRITTEN = f"""\
# Ours.
secret: "0123456789abcdef"
accounts:
  - id: first       # the oldest
    plan: "free"
    keys:
      - hash: {A}
  # the busy one
  - id: second
    keys: # two
      - hash: {B}
        note: production
      - hash: {C}
        note: 'tests'
    attributes: {{payment: pm_71}}

  # the last one
  - {{id: third, keys: []}}
# The end.
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.yaml"
    path.write_text(WRITTEN)
    return path


def lines_gone(file: Path) -> list[str]:
    kept = file.read_text().splitlines()
    return [line for line in WRITTEN.splitlines() if line not in kept]


def test_an_account_is_removed_and_every_other_line_stays(run: Run, file: Path) -> None:
    ran = run("account", "remove", "second", "--accounts", file)
    assert (ran.code, ran.out) == (0, "")
    assert "Removed second" in ran.err
    before, _, rest = WRITTEN.partition("  - id: second\n")
    after = rest.partition("attributes: {payment: pm_71}\n")[2]
    assert file.read_text() == before + after


def test_all_of_them_can_be_removed(run: Run, file: Path) -> None:
    for account in ("third", "first", "second"):
        assert run("account", "remove", account, "--accounts", file).code == 0
    assert "accounts: []\n" in file.read_text()
    assert run("account", "list", "--accounts", file).code == 0


@pytest.mark.parametrize("which", ["tests", C[:6], C])
def test_one_key_is_revoked_by_its_note_or_its_hash(run: Run, file: Path, which: str) -> None:
    ran = run("account", "revoke", "second", which, "--accounts", file)
    assert ran.code == 0
    assert lines_gone(file) == [f"      - hash: {C}", "        note: 'tests'"]


def test_an_account_without_a_key_stays_an_account(run: Run, file: Path) -> None:
    assert run("account", "revoke", "first", A, "--accounts", file).code == 0
    assert "    keys: []\n" in file.read_text()
    assert "first" in run("account", "list", "--accounts", file).out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("remove", "nobody"), "has no account 'nobody'"),
        (("revoke", "second", "b"), "bb1bbbbb (production), bb2ccccc (tests)"),
        (("revoke", "second", ""), "none of the keys of second fits"),
        (("revoke", "third", "x"), "It has: no key"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_changes(
    run: Run, file: Path, args: tuple[str, ...], said: str
) -> None:
    ran = run("account", *args, "--accounts", file)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert file.read_text() == WRITTEN


def test_a_file_in_brackets_is_left_to_a_person(run: Run, file: Path) -> None:
    text = f"accounts: [{{id: a, keys: [{{hash: {A}}}]}}, {{id: b, keys: []}}]\n"
    file.write_text(text)
    ran = run("account", "remove", "a", "--accounts", file)
    assert ran.code == 2
    assert "by hand" in ran.err
    assert file.read_text() == text


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    ran = run("account", "remove", "a", "--accounts", tmp_path / "none.yaml")
    assert ran.code == 2
    assert "does not exist" in ran.err

import re
import stat
from pathlib import Path

import pytest

from gateway.facts.accounts import Accounts, parse_accounts
from gateway.facts.principal import Account, Secret
from tests.cli.conftest import Run

KEY = re.compile(r"gk_[A-Za-z0-9_-]{43}\n")
COMMENTED = """\
# Ours.
accounts:
    - id: first       # the oldest
      plan: "free"
      keys: [] # shut out for now
    # the last one
    - id: second
      keys:
        - hash: abababababababababababababababababababababababababababababababab
          note: 'production'
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.yaml"


def read(file: Path) -> Accounts:
    return parse_accounts(file.read_text(), file.name)


def holder(file: Path, key: str) -> Account | None:
    secret = Secret(file.with_name("gauger.secret").read_bytes().strip())
    return read(file).find(secret.credential_hash(key.strip()))


def test_a_new_key_goes_to_standard_output_alone_and_into_no_file(run: Run, file: Path) -> None:
    ran = run("account", "add", "acme", "--accounts", file)
    assert ran.code == 0
    assert KEY.fullmatch(ran.out)
    assert ran.out.strip() not in ran.err
    assert all(ran.out.strip() not in path.read_text() for path in file.parent.iterdir())


def test_the_key_is_its_accounts(run: Run, file: Path) -> None:
    described = (
        "--plan",
        "pro",
        "--organization",
        "Acme: 'Ltd' #1",
        "--attribute",
        "payment=pm=71",
    )
    key = run("account", "add", "acme", "--accounts", file, *described).out
    account = holder(file, key)
    assert account is not None
    assert (account.id, account.plan, account.organization) == ("acme", "pro", "Acme: 'Ltd' #1")
    assert account.attributes == {"payment": "pm=71"}


def test_the_secret_is_made_once_for_its_owner_alone(run: Run, file: Path) -> None:
    first = run("account", "add", "one", "--accounts", file)
    made = file.with_name("gauger.secret")
    secret = made.read_bytes()
    second = run("account", "add", "two", "--accounts", file)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert made.read_bytes() == secret
    assert str(made) in first.err
    assert str(made) not in second.err
    assert secret.decode().strip() not in first.err + first.out


def test_a_new_accounts_file_is_for_its_owner_alone(run: Run, file: Path) -> None:
    run("account", "add", "acme", "--accounts", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_that_is_set_is_used(run: Run, file: Path) -> None:
    secret = "the secret of the deployment"
    key = run("account", "add", "acme", "--accounts", file, GAUGER_SECRET=secret).out
    assert read(file).find(Secret(secret.encode()).credential_hash(key.strip())) is not None
    assert [path.name for path in file.parent.iterdir()] == ["accounts.yaml"]


def test_another_account_leaves_every_line_as_it_was(run: Run, file: Path) -> None:
    file.write_text(COMMENTED)
    file.chmod(0o640)
    file.with_name("gauger.secret").write_text("a secret of enough bytes")
    key = run("account", "add", "third", "--accounts", file).out
    assert file.read_text().startswith(COMMENTED)
    assert (account := holder(file, key)) is not None
    assert account.id == "third"
    assert len(read(file)) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_further_key_leaves_every_line_as_it_was(run: Run, file: Path) -> None:
    file.write_text(COMMENTED)
    file.with_name("gauger.secret").write_text("a secret of enough bytes")
    key = run("account", "add", "second", "--accounts", file, "--note", "next").out
    assert (account := holder(file, key)) is not None
    assert account.id == "second"
    kept = [line for line in file.read_text().splitlines() if line in COMMENTED.splitlines()]
    assert kept == COMMENTED.splitlines()


def test_a_file_whose_last_line_has_no_end_is_still_added_to(run: Run, file: Path) -> None:
    file.write_text(COMMENTED.rstrip("\n"))
    file.with_name("gauger.secret").write_text("a secret of enough bytes")
    assert run("account", "add", "third", "--accounts", file).code == 0
    assert len(read(file)) == 3


def test_a_link_to_the_file_stays_a_link(run: Run, file: Path) -> None:
    real = file.with_name("real.yaml")
    real.write_text("accounts: []  # nobody yet\n")
    file.symlink_to(real)
    assert run("account", "add", "acme", "--accounts", file).code == 0
    assert file.is_symlink()
    assert len(read(real)) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("gk with spaces",), "account's id"),
        (("",), "error: ID is empty"),
        (("acme", "--attribute", "payment"), "NAME=VALUE"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    run: Run, file: Path, args: tuple[str, ...], said: str
) -> None:
    ran = run("account", "add", *args, "--accounts", file)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""
    assert list(file.parent.iterdir()) == []


def test_a_further_key_cannot_change_the_plan(run: Run, file: Path) -> None:
    run("account", "add", "acme", "--accounts", file)
    before = file.read_text()
    ran = run("account", "add", "acme", "--plan", "pro", "--accounts", file)
    assert ran.code == 2
    assert "is there already" in ran.err
    assert file.read_text() == before


def test_a_list_in_brackets_is_left_to_a_person(run: Run, file: Path) -> None:
    file.write_text("accounts: [{id: acme, keys: []}]\n")
    ran = run("account", "add", "beta", "--accounts", file)
    assert ran.code == 2
    assert "brackets" in ran.err
    assert file.read_text() == "accounts: [{id: acme, keys: []}]\n"


def test_a_key_for_an_account_that_was_shut_out_is_left_to_a_person(run: Run, file: Path) -> None:
    file.write_text(COMMENTED)
    file.with_name("gauger.secret").write_text("a secret of enough bytes")
    assert run("account", "add", "first", "--accounts", file).code == 2
    assert file.read_text() == COMMENTED


def test_without_their_secret_no_key_joins_the_others(run: Run, file: Path) -> None:
    run("account", "add", "acme", "--accounts", file)
    file.with_name("gauger.secret").unlink()
    ran = run("account", "add", "beta", "--accounts", file)
    assert ran.code == 2
    assert "gauger.secret" in ran.err
    assert not file.with_name("gauger.secret").exists()


def test_a_broken_file_is_reported_and_left(run: Run, file: Path) -> None:
    file.write_text("accounts:\n  - id: acme\n    kees: []\n")
    ran = run("account", "add", "beta", "--accounts", file)
    assert ran.code == 1
    assert f"{file}:3:5: " in ran.err


def test_the_list_shows_who_may_call(run: Run, file: Path) -> None:
    run("account", "add", "acme", "--plan", "pro", "--attribute", "tier=1", "--accounts", file)
    run("account", "add", "acme", "--note", "ci", "--accounts", file)
    ran = run("account", "list", "--accounts", file)
    assert ran.code == 0
    assert re.search(r"^acme +pro +- +2 \(ci\) +tier=1 *$", ran.out, re.MULTILINE)


def test_the_list_of_no_file_says_how_to_make_one(run: Run, file: Path) -> None:
    ran = run("account", "list", "--accounts", file)
    assert ran.code == 2
    assert "gauger account add ID" in ran.err


def test_the_file_may_be_named_by_a_settings_file(run: Run, file: Path) -> None:
    file.write_text("accounts: []\n")
    config = file.with_name("gauger.yaml")
    config.write_text("accounts: accounts.yaml\n")
    assert run("account", "add", "acme", "--config", config).code == 0
    assert len(read(file)) == 1


def test_one_file_never_holds_hashes_of_two_secrets(run: Run, file: Path) -> None:
    run("account", "add", "acme", "--accounts", file, GAUGER_SECRET="the first secret of ours")
    before = file.read_text()
    ran = run("account", "add", "b", "--accounts", file, GAUGER_SECRET="another secret of ours")
    assert ran.code == 1
    assert "made with another secret" in ran.err
    assert f"{file}:2:9: " in ran.err
    assert ran.out == ""
    assert file.read_text() == before


def test_a_file_that_has_keys_is_not_said_to_be_of_this_secret(run: Run, file: Path) -> None:
    file.write_text(COMMENTED)
    run("account", "add", "third", "--accounts", file, GAUGER_SECRET="a secret of enough bytes")
    assert "secret:" not in file.read_text()

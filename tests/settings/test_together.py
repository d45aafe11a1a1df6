from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import Address, Settings
from gateway.settings.together import BESIDE_ACCOUNTS, Given, settings_from

SECRET = "a secret of enough bytes"


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    directory = tmp_path / "policies"
    directory.mkdir()
    return directory


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    file = tmp_path / "accounts.yaml"
    file.write_text("accounts: []\n")
    return file


def settings(
    policies: Path, environ: Mapping[str, str] | None = None, **given: str | Path | Given
) -> Settings:
    written = {"policies": policies, "upstream": "http://model:8000", **given}
    return settings_from(
        {
            name: value
            if isinstance(value, Given)
            else Given(str(value), f"--{name}", by_flag=True)
            for name, value in written.items()
        },
        environ or {},
    )


def problems(
    policies: Path, environ: Mapping[str, str] | None = None, **given: str | Path | Given
) -> str:
    with pytest.raises(SettingsError) as raised:
        settings(policies, environ, **given)
    return str(raised.value)


def test_what_was_not_given_keeps_its_default(policies: Path) -> None:
    made = settings(policies)
    assert made.listen == Address("127.0.0.1", 8080)
    assert made.admin == Address("127.0.0.1", 9090)
    assert made.store == "memory://"
    assert made.body_limit_bytes == 32 * 2**20


def test_values_arrive_with_their_units(policies: Path) -> None:
    made = settings(policies, idle_timeout="2m", body_limit="1MiB", admin="off")
    assert (made.idle_timeout_s, made.body_limit_bytes, made.admin) == (120.0, 2**20, None)


def test_every_unusable_setting_is_reported_with_its_origin() -> None:
    with pytest.raises(SettingsError) as raised:
        settings_from(
            {
                "upstream": Given("ftp://x", "GAUGER_UPSTREAM"),
                "listen": Given("nowhere", "gauger.yaml:3:9"),
                "idle_timeout": Given("", "--idle-timeout", by_flag=True),
            },
            {},
        )
    lines = str(raised.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "GAUGER_UPSTREAM",
        "gauger.yaml:3:9",
        "--idle-timeout",
        "--policies",
    ]


def test_both_ports_cannot_be_one(policies: Path) -> None:
    assert "--admin: 127.0.0.1:8080 is taken" in problems(policies, admin="127.0.0.1:8080")


def test_both_ports_may_be_free_ones(policies: Path) -> None:
    made = settings(policies, listen="127.0.0.1:0", admin="127.0.0.1:0")
    assert made.listen == made.admin


@pytest.mark.parametrize(
    "given",
    [
        {"upstream_key_env": "OURS"},
        {
            "upstream": "http://rest:1 anthropic=http://other:2",
            "upstream_key_env": "anthropic=OURS",
        },
    ],
)
def test_the_operators_key_is_not_lent_to_whoever_asks(
    policies: Path, given: dict[str, str]
) -> None:
    said = problems(policies, {"OURS": "sk-1"}, **given)
    assert "--upstream_key_env: anybody could spend this key" in said
    assert "--accounts" in said
    assert "unknown_keys: admit" in said


def test_an_identities_file_says_who_may_spend_the_operators_key(
    policies: Path, tmp_path: Path
) -> None:
    file = tmp_path / "identities.yaml"
    file.write_text("unknown_keys: admit\n")
    made = settings(policies, {"OURS": "sk-1"}, upstream_key_env="OURS", identities=file)
    assert made.upstream_key == "sk-1"


def test_the_upstream_key_comes_from_the_variable_that_was_named(
    policies: Path, accounts: Path
) -> None:
    environ = {"MODEL_KEY": "sk-1\n", "GAUGER_SECRET": SECRET}
    made = settings(policies, environ, upstream_key_env="MODEL_KEY", accounts=accounts)
    assert made.upstream_key == "sk-1"


@pytest.mark.parametrize("environ", [{}, {"MODEL_KEY": ""}, {"MODEL_KEY": "  "}])
def test_a_named_variable_without_a_key_is_an_error_at_start(
    policies: Path, environ: dict[str, str]
) -> None:
    said = problems(policies, environ=environ, upstream_key_env="MODEL_KEY")
    assert "--upstream_key_env: the variable MODEL_KEY is empty or not set" in said


def test_several_upstreams_each_have_their_key(policies: Path, accounts: Path) -> None:
    made = settings(
        policies,
        {"OURS": "sk-1", "THEIRS": "sk-2", "GAUGER_SECRET": SECRET},
        accounts=accounts,
        upstream="http://rest:1 anthropic=http://other:2",
        upstream_key_env="OURS anthropic=THEIRS",
    )
    assert (made.upstream, made.selected_upstreams) == (
        "http://rest:1",
        ("anthropic=http://other:2",),
    )
    assert (made.upstream_key, made.selected_upstream_keys) == ("sk-1", {"anthropic": "sk-2"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"upstream": "anthropic=http://other:2"}, "none of the addresses"),
        ({"upstream": "http://a:1 http://b:2"}, "2 of the addresses"),
        ({"upstream_key_env": "gemini=OURS"}, "no --upstream has the selector gemini"),
    ],
)
def test_upstreams_that_do_not_fit_together_are_told(
    policies: Path, given: dict[str, str], said: str
) -> None:
    assert said in problems(policies, environ={"OURS": "sk-1"}, **given)


def test_an_upstream_key_that_would_break_a_header_is_refused_unseen(policies: Path) -> None:
    environ = {"MODEL_KEY": "sk-1\r\nx-evil: 1"}
    said = problems(policies, environ=environ, upstream_key_env="MODEL_KEY")
    assert "no key has" in said
    assert "sk-1" not in said


def test_a_key_given_in_the_place_of_its_name_is_not_repeated(policies: Path) -> None:
    assert "hunter2" not in problems(policies, upstream_key_env="gk_hunter2")


def test_without_a_secret_the_memory_store_makes_one_up(policies: Path) -> None:
    first, second = settings(policies), settings(policies)
    assert first.secret_is_random
    assert len(first.secret) >= 16
    assert first.secret != second.secret


def test_without_a_secret_a_shared_store_is_refused_with_the_command_to_make_one(
    policies: Path,
) -> None:
    said = problems(policies, store="redis://redis")
    assert "export GAUGER_SECRET=" in said
    assert "token_urlsafe" in said


def test_the_secret_of_the_environment_is_taken(policies: Path) -> None:
    made = settings(policies, {"GAUGER_SECRET": SECRET + "\n"}, store="redis://redis")
    assert made.secret == SECRET.encode()
    assert not made.secret_is_random


def test_a_secret_file_and_the_variable_give_the_same_secret(
    policies: Path, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    assert settings(policies, secret_file=file).secret == SECRET.encode()


def test_a_secret_that_can_be_guessed_is_refused_unseen(policies: Path) -> None:
    said = problems(policies, environ={"GAUGER_SECRET": "fifteen bytes!!"})
    assert "GAUGER_SECRET: a secret of 15 bytes can be guessed" in said
    assert "fifteen" not in said


def test_a_flag_wins_over_the_variable_and_the_variable_over_a_settings_file(
    policies: Path, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("the secret of the file")
    environ = {"GAUGER_SECRET": SECRET}
    from_file = Given(str(file), "gauger.yaml:1:1")
    assert settings(policies, environ, secret_file=file).secret == b"the secret of the file"
    assert settings(policies, environ, secret_file=from_file).secret == SECRET.encode()


def test_two_secrets_in_the_environment_are_a_contradiction(policies: Path, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    environ = {"GAUGER_SECRET": SECRET, "GAUGER_SECRET_FILE": str(file)}
    assert "Unset one" in problems(policies, environ=environ, secret_file=file)


def test_the_secret_beside_the_accounts_file_is_found(policies: Path, accounts: Path) -> None:
    accounts.with_name(BESIDE_ACCOUNTS).write_text(SECRET + "\n")
    assert settings(policies, accounts=accounts).secret == SECRET.encode()


def test_accounts_without_their_secret_are_refused(policies: Path, accounts: Path) -> None:
    assert "gauger account add" in problems(policies, accounts=accounts)


def test_an_unusable_secret_file_is_reported_once(policies: Path) -> None:
    said = problems(policies, secret_file="no/such/file", store="redis://redis")
    assert said.count("\n") == 0
    assert "no/such/file does not exist" in said

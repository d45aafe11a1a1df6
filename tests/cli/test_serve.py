"""How `serve` comes to its settings. That it then serves is shown in tests/end_to_end."""

from pathlib import Path

import pytest

from gateway.cli import serving
from gateway.settings import Address, Settings
from gateway.settings.written import SETTINGS, default_text
from tests.cli.conftest import Run

UPSTREAM = "http://model:8000"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which `serve` would have begun."""
    settings: list[Settings] = []
    monkeypatch.setattr(serving, "serve_until_stopped", settings.append)
    return settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    file = tmp_path / "gauger.yaml"
    file.write_text(
        f"policies: policies\nupstream: {UPSTREAM}\n"
        "listen: 127.0.0.1:1\nidle_timeout: 30\nlog_allowed: true\nadmin: off\n"
    )
    return file


def test_every_flag_is_a_variable_and_a_key_of_the_file(
    run: Run, served: list[Settings], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("a secret of enough bytes")
    (tmp_path / "accounts").write_text("accounts: []")
    (tmp_path / "identities").write_text("unknown_keys: admit")
    (tmp_path / "token").write_text("a-token-of-more-than-32-characters")
    pem = tmp_path / "pem"
    pem.touch()
    written = {
        "policies": str(tmp_path),
        "upstream": "https://model:8000",
        "admin_token_file": str(tmp_path / "token"),
        "admin_plain_http": "true",
        "admin_tls_cert": str(pem),
        "admin_tls_key": str(pem),
        "admin_tls_client_ca": str(pem),
        "audit_log": str(tmp_path / "audit"),
        "probes": "127.0.0.1:3",
        "probes_metrics": "true",
        "tls_cert": str(pem),
        "tls_key": str(pem),
        "tls_client_ca": str(pem),
        "upstream_tls_ca": str(pem),
        "upstream_tls_cert": str(pem),
        "upstream_tls_key": str(pem),
        "record": str(tmp_path / "traffic.jsonl"),
        "record_size": "1MiB",
        "record_gzip": "true",
        "record_prompts": "true",
        "guesses_per_minute": "7",
        "store": "redis://redis",
        "store_timeout": "70ms",
        "replicas": "3",
        "accounts": str(tmp_path / "accounts"),
        "identities": str(tmp_path / "identities"),
        "secret_file": str(tmp_path / "secret"),
        "listen": "127.0.0.1:1",
        "admin": "127.0.0.1:2",
        "upstream_key_env": "MODEL_KEY",
        "connect_timeout": "1s",
        "first_byte_timeout": "2s",
        "idle_timeout": "3s",
        "body_limit": "4KiB",
        "stream_step": "128",
        "max_exchanges": "64",
        "retry_jitter": "500ms",
        "shutdown_grace": "5s",
        "reload_every": "6s",
        "trust_traceparent": "true",
        "log_allowed": "true",
    }
    assert set(written) == set(SETTINGS)
    file = tmp_path / "gauger.yaml"
    file.write_text("".join(f"{name}: {value}\n" for name, value in written.items()))
    flags = [
        part
        for name, value in written.items()
        for part in ([SETTINGS[name].flag] if value == "true" else [SETTINGS[name].flag, value])
    ]
    variables = {SETTINGS[name].variable: value for name, value in written.items()}
    assert run("serve", *flags, MODEL_KEY="sk").code == 0
    assert run("serve", MODEL_KEY="sk", **variables).code == 0
    assert run("serve", "--config", file, MODEL_KEY="sk").code == 0
    assert served[0] == served[1] == served[2]
    assert served[0].trust_traceparent
    assert served[0].upstream_key == "sk"


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(
    run: Run, served: list[Settings], config: Path
) -> None:
    args = ("serve", "--config", config)
    run(*args)
    run(*args, GAUGER_LISTEN="127.0.0.1:2")
    run(*args, "--listen", "127.0.0.1:3", GAUGER_LISTEN="127.0.0.1:2")
    assert [settings.listen.port for settings in served] == [1, 2, 3]


def test_a_truth_in_the_file_can_be_denied(run: Run, served: list[Settings], config: Path) -> None:
    run("serve", "--config", config)
    run("serve", "--config", config, "--no-log-allowed")
    run("serve", "--config", config, GAUGER_LOG_ALLOWED="false")
    assert [settings.log_allowed for settings in served] == [True, False, False]


def test_paths_in_the_file_are_relative_to_it(
    run: Run, served: list[Settings], config: Path
) -> None:
    assert run("serve", GAUGER_CONFIG=str(config)).code == 0
    assert served[0].policies == config.parent / "policies"
    assert served[0].admin is None


def test_an_error_names_where_the_value_came_from(run: Run, config: Path) -> None:
    ran = run("serve", "--config", config, "--store", "mysql://", GAUGER_BODY_LIMIT="much")
    assert ran.code == 2
    assert "error: --store: not a store" in ran.err
    assert "error: GAUGER_BODY_LIMIT: 'much' is not a size" in ran.err


def test_a_contradiction_names_the_line_of_the_file(run: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("admin: off", "admin: 127.0.0.1:1"))
    assert f"{config}:6:8: 127.0.0.1:1 is taken" in run("serve", "--config", config).err


@pytest.mark.usefixtures("served")
def test_all_mistakes_of_the_file_are_located_and_none_is_repeated(run: Run, config: Path) -> None:
    config.write_text(
        "polices: policies\nupstream: ftp://x\nlisten: [a, b]\nsecret: hunter2-hunter2\n"
        "store: redis//:hunter2@redis\nidle_timeout:\n"
    )
    ran = run("serve", "--config", config)
    assert ran.code == 1
    located = [line.removeprefix(str(config)) for line in ran.err.splitlines()[:-1]]
    assert [line.split(":")[1] for line in located] == ["1", "2", "3", "4", "5", "6"]
    assert 'Did you mean "policies"?' in located[0]
    assert "GAUGER_SECRET" in located[3]
    assert "hunter2" not in ran.err


@pytest.mark.parametrize("text", ["- a\n", "", "just words\n"])
def test_a_file_that_holds_no_settings_says_so(run: Run, config: Path, text: str) -> None:
    config.write_text(text)
    ran = run("serve", "--config", config)
    assert ran.code == 1
    assert f"{config}:1:1: " in ran.err


def test_a_settings_file_that_is_not_there_is_named(run: Run) -> None:
    ran = run("serve", "--config", "no/such/file.yaml")
    assert ran.code == 2
    assert "--config: no/such/file.yaml: No such file or directory" in ran.err


@pytest.mark.usefixtures("served")
def test_an_unknown_variable_is_a_warning_with_a_guess(run: Run, config: Path) -> None:
    ran = run("serve", "--config", config, GAUGER_UPSTREM="http://x")
    assert ran.code == 0
    assert "GAUGER_UPSTREM is set" in ran.err
    assert "Did you mean GAUGER_UPSTREAM?" in ran.err


def test_nothing_given_says_what_is_needed_and_how(run: Run) -> None:
    ran = run("serve")
    assert ran.code == 2
    assert "--policies: missing" in ran.err
    assert "GAUGER_UPSTREAM" in ran.err
    assert "Traceback" not in ran.err


def test_problems_of_policies_end_the_start_with_all_of_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("quotas: [{id: a, why: b, limit: 5}, {id: b}]\n")
    ran = run("serve", "--policies", tmp_path, "--upstream", UPSTREAM)
    assert ran.code == 1
    assert f"{tmp_path}/a.yaml:1:" in ran.err
    assert ran.out == ""


def test_help_shows_every_setting_with_its_default(run: Run) -> None:
    said = " ".join(run("serve", "--help").out.split())
    for name, setting in SETTINGS.items():
        assert setting.flag in said
        assert default_text(name) in said


def test_the_default_addresses_are_this_machines_own() -> None:
    assert SETTINGS["listen"].default == Address("127.0.0.1", 8080)
    assert SETTINGS["admin"].default == Address("127.0.0.1", 9090)

"""What must hold before a port is opened."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import Settings
from gateway.settings.doors import exposed_files
from gateway.settings.together import Given, settings_from

TOKEN = "a-token-of-more-than-32-characters"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "pem").touch()
    return tmp_path


def made(directory: Path, environ: Mapping[str, str] | None = None, **given: str) -> Settings:
    written = {"policies": str(directory), "upstream": "https://model", **given}
    return settings_from(
        {name: Given(text, f"--{name}", by_flag=True) for name, text in written.items()},
        environ or {},
    )


def problem(directory: Path, environ: Mapping[str, str] | None = None, **given: str) -> str:
    with pytest.raises(SettingsError) as raised:
        made(directory, environ, **given)
    return str(raised.value)


def test_the_token_comes_from_a_file_or_a_variable(directory: Path) -> None:
    by_file = made(directory, admin_token_file=str(directory / "token"))
    by_variable = made(directory, {"GAUGER_ADMIN_TOKEN": TOKEN})
    assert by_file.admin_token == by_variable.admin_token == TOKEN.encode()
    assert TOKEN not in repr(by_file)
    assert made(directory).admin_token is None


def test_two_tokens_in_the_environment_are_a_contradiction(directory: Path) -> None:
    environ = {"GAUGER_ADMIN_TOKEN": TOKEN, "GAUGER_ADMIN_TOKEN_FILE": str(directory / "token")}
    assert "Unset one" in problem(directory, environ)


@pytest.mark.parametrize("text", ["", "hunter2", "x" * 31, "hunter2 " * 8, "hunter2\u00e9" * 8])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused_unseen(
    directory: Path, text: str
) -> None:
    (directory / "token").write_text(text)
    said = problem(directory, admin_token_file=str(directory / "token"))
    assert "secrets.token_urlsafe" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("where", ["0.0.0.0:9090", "10.1.2.3:9090", "gauger.internal:9090"])
def test_a_public_admin_port_needs_a_token_and_tls(directory: Path, where: str) -> None:
    said = problem(directory, admin=where)
    assert "--admin-token-file" in said
    assert "--admin-tls-cert" in said
    assert "ssh -L 9090:127.0.0.1:9090" in said
    token = str(directory / "token")
    assert "without TLS" in problem(directory, admin=where, admin_token_file=token)
    plain = problem(directory, admin=where, admin_plain_http="true")
    assert "nobody is asked" in plain
    pem = str(directory / "pem")
    assert "nobody is asked" in problem(directory, admin=where, admin_tls_cert=pem)
    assert made(directory, admin=where, admin_token_file=token, admin_tls_cert=pem).admin
    assert made(directory, admin=where, admin_token_file=token, admin_plain_http="yes").admin


@pytest.mark.parametrize("where", ["127.0.0.1:9090", "[::1]:9090", "localhost:9090", "off"])
def test_on_loopback_no_token_is_needed(directory: Path, where: str) -> None:
    assert made(directory, admin=where).admin_token is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tls_key": "pem"}, "no --tls-cert"),
        ({"tls_client_ca": "pem"}, "no --tls-cert"),
        ({"admin_tls_key": "pem"}, "no --admin-tls-cert"),
        ({"admin_tls_client_ca": "pem"}, "no --admin-tls-cert"),
        ({"upstream_tls_key": "pem"}, "no --upstream-tls-cert"),
    ],
)
def test_half_of_a_pair_is_told(directory: Path, given: dict[str, str], said: str) -> None:
    paths = {name: str(directory / file) for name, file in given.items()}
    assert said in problem(directory, {}, **paths)


@pytest.mark.parametrize(
    ("upstream", "selector", "said"),
    [
        ("http://model", "", "no --upstream without a selector speaks TLS"),
        ("https://model anthropic=http://other", "anthropic=", "no --upstream anthropic"),
        ("https://model", "gemini=", "no --upstream gemini"),
    ],
)
def test_tls_files_of_an_upstream_that_speaks_none_are_told(
    directory: Path, upstream: str, selector: str, said: str
) -> None:
    file = f"{selector}{directory / 'pem'}"
    assert said in problem(directory, upstream=upstream, upstream_tls_ca=file)


def test_each_upstream_has_its_own_files(directory: Path) -> None:
    pem = str(directory / "pem")
    settings = made(
        directory,
        upstream="https://model anthropic=https://other",
        upstream_tls_ca=f"{pem} anthropic={pem}",
        upstream_tls_cert=f"anthropic={pem}",
    )
    assert settings.upstream_tls_ca == (pem, f"anthropic={pem}")
    assert settings.upstream_tls_cert == (f"anthropic={pem}",)


@pytest.mark.parametrize(("ours", "theirs"), [("listen", "probes"), ("admin", "probes")])
def test_no_two_ports_are_one(directory: Path, ours: str, theirs: str) -> None:
    said = problem(directory, {}, **{ours: "127.0.0.1:7000", theirs: "127.0.0.1:7000"})
    assert "127.0.0.1:7000 is taken" in said


def test_a_secret_that_everybody_can_read_is_a_warning(directory: Path) -> None:
    token, key = directory / "token", directory / "pem"
    token.chmod(0o644)
    key.chmod(0o640)
    (said,) = exposed_files({"admin_token_file": token, "tls_key": key, "policies": directory})
    assert said.startswith(f"--admin-token-file: {token} can be read by everybody")
    token.chmod(0o600)
    assert exposed_files({"admin_token_file": token}) == []

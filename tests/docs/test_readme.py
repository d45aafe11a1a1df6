"""What the README tells a reader to write works as it is written there."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import serving
from gateway.cli.commands import app
from gateway.cli.options import CONFIG_VARIABLE
from gateway.demo import run as demo
from gateway.policy.parse import inspect
from gateway.settings import Settings
from gateway.settings.together import SECRET_VARIABLE
from gateway.settings.written import SETTINGS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for written, text in BLOCKS if written == language]


def commands() -> list[str]:
    lines = (line for block in blocks("sh") for line in block.splitlines())
    return [command.strip() for line in lines for command in line.split(" && ")]


def policy_block() -> str:
    return next(text for text in blocks("yaml") if "quotas:" in text)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory as the reader has it after writing the README's files."""
    monkeypatch.chdir(tmp_path)
    for name in (*(setting.variable for setting in SETTINGS.values()), SECRET_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for text in blocks("yaml"):
        named = re.search(r"[\w./-]+\.yaml", text.splitlines()[0])
        assert named is not None, "the first line of a YAML block names its file"
        file = tmp_path / named[0]
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_the_policies_are_sound_and_draw_no_warning() -> None:
    inspection = inspect({"quotas.yaml": policy_block()})
    assert inspection.problems == ()
    assert inspection.warnings == ()


@pytest.mark.usefixtures("checkout")
def test_every_gauger_command_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    shown: list[object] = []
    monkeypatch.setattr(serving, "serve_until_stopped", served.append)
    monkeypatch.setattr(demo, "run_demo", lambda chosen, _to: shown.append(chosen))
    for command in commands():
        words = shlex.split(command, comments=True)
        if words[:1] == ["export"]:
            name, _, value = words[1].partition("=")
            monkeypatch.setenv(name, "made-by-the-command-of-the-readme" if "$" in value else value)
        elif words[:1] == ["gauger"]:
            result = CliRunner().invoke(app, words[1:])
            assert result.exit_code == 0, f"{command}\n{result.output}"
    assert len(shown) == 1
    assert [settings.store for settings in served] == [
        "memory://",
        "memory://",
        "redis://127.0.0.1:6379/0",
    ]
    assert served[1].upstream_key == "..."


@pytest.mark.usefixtures("checkout")
def test_the_settings_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    monkeypatch.setattr(serving, "serve_until_stopped", served.append)
    assert CliRunner().invoke(app, ["serve", "--config", "gauger.yaml"]).exit_code == 0
    assert (served[0].first_byte_timeout_s, served[0].body_limit_bytes) == (600.0, 8 * 2**20)


def test_what_pip_is_told_to_install_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installs = [shlex.split(command) for command in commands() if "pip install" in command]
    assert len(installs) == 2
    for words in installs:
        for extra in re.findall(r"\[(\w+)\]", words[2]):
            assert extra in project["optional-dependencies"]
        if "-c" in words:
            assert (ROOT / words[words.index("-c") + 1]).is_file()


@pytest.mark.parametrize("text", blocks("python"))
def test_the_sdks_find_gauger(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    names: dict[str, object] = {}
    exec(text, names)  # noqa: S102  # the README's own three lines
    with names["client"] as client:  # type: ignore[attr-defined]  # both SDKs' clients close
        assert str(client.base_url).startswith("http://127.0.0.1:8080")


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_every_variable_that_is_named_exists() -> None:
    known = {setting.variable for setting in SETTINGS.values()} | {SECRET_VARIABLE, CONFIG_VARIABLE}
    assert set(re.findall(r"GAUGER_\w+", README)) <= known

"""gateway/docs/admin.md says what the ports ask for and what they write."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import serving
from gateway.cli.commands import app
from gateway.console.changing import _SAID_BY_BROWSERS
from gateway.console.probes import make_probes
from gateway.guessing import MOST_ADDRESSES
from gateway.settings import Settings
from gateway.settings.doors import MIN_TOKEN_CHARACTERS
from gateway.settings.written import SETTINGS
from gateway.telemetry.metrics import Metrics

TEXT = (Path(__file__).parents[2] / "gateway" / "docs" / "admin.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
]


def test_every_flag_exists() -> None:
    told = {
        flag
        for command in (("serve",), ("account", "show"))
        for flag in re.findall(r"--[a-z-]+", CliRunner().invoke(app, [*command, "--help"]).output)
    }
    written = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert len(written) > 15
    assert written <= told


def test_every_new_door_is_described() -> None:
    doors = {
        setting.flag
        for name, setting in SETTINGS.items()
        if re.search(r"tls|admin|probes|audit|guesses", name)
    }
    written = TEXT.replace("--no-probes-", "--probes-")
    assert {flag for flag in doors if flag not in written} == set()


@pytest.mark.parametrize(
    "words",
    [
        f"At least {MIN_TOKEN_CHARACTERS} characters",
        f"{SETTINGS['guesses_per_minute'].default} wrong keys or tokens a minute",
        f"the last {MOST_ADDRESSES:,} addresses",
    ],
)
def test_every_number_is_the_one_in_force(words: str) -> None:
    assert words in " ".join(TEXT.split())


def test_what_browsers_say_is_what_is_looked_for() -> None:
    said = re.search(r"browsers say of themselves\s+\(([^)]*)\)", TEXT)
    assert said is not None
    assert re.findall(r"`([\w-]+)`", said[1].lower()) == list(_SAID_BY_BROWSERS)


def test_the_probes_are_those_that_are_named() -> None:
    async def none() -> bytes:
        return b""

    made = make_probes(
        status=none,  # type: ignore[arg-type]  # nobody asks
        metrics_text=none,
        with_metrics=True,
        this_machine_only=False,
    )
    assert {route.path for route in made.routes} == {"/healthz", "/readyz", "/metrics"}  # type: ignore[attr-defined]


def test_the_metric_exists() -> None:
    (named,) = re.findall(r"`(gateway_\w+)`", TEXT)
    metrics = Metrics()
    metrics.can_be_reloaded("tls")
    assert named in metrics.text().decode()


def test_serve_takes_the_command_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Settings] = []
    monkeypatch.setattr(serving, "serve_until_stopped", served.append)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "admin.token").write_text("x" * 43)
    for name in ("admin.cert.pem", "admin.key.pem"):
        (tmp_path / name).touch()
    (serve,) = [command for command in COMMANDS if command.startswith("gauger serve")]
    result = CliRunner().invoke(app, shlex.split(serve)[1:])
    assert result.exit_code == 0, result.output
    assert served[0].admin is not None
    assert not served[0].admin.is_loopback

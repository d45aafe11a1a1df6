"""The page on simulation says what is so: its commands run, and no name is missing."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app
from gateway.simulation.campaign import CHOICES, SETTABLE
from gateway.simulation.order import read_order
from gateway.simulation.populations import KINDS

PAGE = Path(__file__).parents[2] / "gateway" / "docs" / "simulation.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = re.findall(r"^gauger simulate .*$", TEXT, re.MULTILINE)
CODE = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)))


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(command: str, tmp_path: Path) -> None:
    _, *words = shlex.split(command)
    words[words.index("-o") + 1] = str(tmp_path / "traffic.jsonl.gz")
    ran = CliRunner().invoke(app, [*words, "--days", "9"])
    assert ran.exit_code == 0, ran.output


def test_its_file_is_understood() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    order = read_order("rehearsal.yaml", text)
    assert [one.kind for one in order.populations] == ["chat", "batch"]
    assert order.campaigns[0].begin == 1.5


def test_it_names_every_population() -> None:
    assert set(KINDS) <= CODE


def test_it_names_everything_that_can_be_set() -> None:
    assert {*SETTABLE} <= CODE
    assert {*CHOICES["load"], *CHOICES["style"]} <= CODE

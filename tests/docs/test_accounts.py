"""The page on accounts says what the command and the admin port do."""

import re
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli.commands import app

PAGE = (Path(__file__).parents[2] / "gateway/docs/accounts.md").read_text(encoding="utf-8")


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    examples = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for line in "".join(examples).splitlines():
        name = line.split()[2]
        told = CliRunner().invoke(app, ["account", name, "--help"]).output
        assert f"gauger account {name}" in told
        for option in re.findall(r"--[a-z]+", line):
            assert option in told
        assert f"| `{name}` |" in PAGE


def test_every_deed_over_http_is_a_command() -> None:
    deeds = re.findall(r"POST /accounts/\{id\}/([a-z]+)", PAGE)
    assert sorted(deeds) == ["block", "grant", "reset", "unblock"]

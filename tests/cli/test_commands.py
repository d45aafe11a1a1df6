import subprocess
import sys

import pytest

import gateway
from tests.cli.conftest import Run

COMMANDS = (
    *(
        "demo",
        "serve",
        "init",
        "check",
        "test",
        "backtest",
        "simulate",
        "schema",
        "account",
        "fleets",
        "version",
    ),
)


def test_the_version_is_the_packages(run: Run) -> None:
    assert run("version").out.startswith(f"gauger {gateway.__version__} ")
    asked = run("--version")
    assert (asked.code, asked.out) == (0, run("version").out)


@pytest.mark.parametrize("args", [["--help"], []])
def test_help_shows_every_command_whole(run: Run, args: list[str]) -> None:
    ran = run(*args)
    said = ran.out or ran.err
    assert all(f"\n  {command}" in said for command in COMMANDS)
    assert "..." not in said.partition("Commands:")[2]
    assert "Exit codes: 0" in said


@pytest.mark.parametrize(
    "args", [*([c] for c in COMMANDS), ["account", "add"], ["account", "list"]]
)
def test_every_command_explains_itself(run: Run, args: list[str]) -> None:
    ran = run(*args, "--help")
    assert ran.code == 0
    assert "Usage:" in ran.out


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    ran = run("serv")
    assert ran.code == 2
    assert "serve" in ran.err


def test_help_loads_none_of_what_a_gateway_needs() -> None:
    """The cause of a slow `--help`, rather than its duration."""
    heavy = {"pydantic", "starlette", "uvicorn", "httpx", "redis", "opentelemetry", "asyncio"}
    code = (
        "import sys\n"
        "from gateway.cli.commands import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(  # noqa: S603  # our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stderr.strip() == "[]"

"""The command line inside the test's own process, with an environment that is the test's alone."""

import logging
import os
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app

Run = Callable[..., "Ran"]


class Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    handlers, level = list(logging.root.handlers), logging.root.level
    for name in [name for name in os.environ if name.startswith("GAUGER_")]:
        monkeypatch.delenv(name)

    def invoke(*args: object, **environ: str) -> Ran:
        result = CliRunner().invoke(app, [str(arg) for arg in args], env=environ)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    yield invoke
    logging.root.handlers[:] = handlers  # `serve` has set up one of its own, on a stream now closed
    logging.root.setLevel(level)

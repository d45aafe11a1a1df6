"""`gauger check`: everything that is wrong with a policy directory, at once."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def check(
    paths: Annotated[list[Path], typer.Argument(help="Policy directories or files.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for tools.")] = False,
) -> None:
    """Report every problem and warning in policies.

    Problems are what `serve` refuses to start with; warnings are legal, but surely not
    meant.

    Example: gauger check policies

    Exit codes: 0 no problem; 1 problems; 2 a path cannot be read.
    """
    # pydantic takes its time, and --help does not need it.
    from gateway.cli.inspection import as_json, inspect_paths, show  # noqa: PLC0415

    inspection = inspect_paths(paths)
    if json:
        sys.stdout.write(as_json(inspection) + "\n")
    else:
        show(inspection)
    if inspection.problems:
        raise typer.Exit(1)

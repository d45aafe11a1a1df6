"""`gauger check`: everything that is wrong with a policy directory, at once."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Policy directories or files.")
    ],
    *,
    cost: Annotated[
        bool,
        typer.Option("--cost", help="What they cost: bytes, operations of the store, time."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for tools.")] = False,
) -> None:
    """Report every problem and warning in policies.

    Problems are what `serve` refuses to start with; warnings are legal, but surely not
    meant.

    Example: gauger check policies

    Exit codes: 0 no problem; 1 problems; 2 a path cannot be read.
    """
    # pydantic takes its time, and --help does not need it.
    from gateway.cli.inspection import (  # noqa: PLC0415
        as_json,
        inspect_paths,
        measured_cost,
        show,
    )

    inspection = inspect_paths(paths)
    costs = measured_cost(inspection) if cost else None
    if json:
        sys.stdout.write(as_json(inspection, costs) + "\n")
    else:
        show(inspection, costs)
    if inspection.problems:
        raise typer.Exit(1)

"""`gauger test`: scenarios beside policies, on a simulated clock."""

from pathlib import Path
from typing import Annotated

import typer


def scenarios(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Directories of policies, or *.scenario.yaml files."
        ),
    ],
    *,
    junit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a report that CI systems show, too."),
    ] = None,
    story: Annotated[
        bool, typer.Option("--story", help="Tell what happened also where all is as expected.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for tools.")] = False,
) -> None:
    """Try policies on made-up traffic: their scenarios.

    A scenario tells who sends what, and what must come of it. It stands beside its policies,
    as plans.scenario.yaml. Days pass in a moment: the clock is simulated, everything else is
    what serves.

    Example: gauger test policies

    Exit codes: 0 all is as expected; 1 it is not, or a file has problems; 2 a path cannot be read.
    """
    # pydantic takes its time, and --help does not need it.
    from gateway.cli.scenario_tests import run_tests  # noqa: PLC0415

    if not run_tests(paths, junit=junit, story=story, json=json):
        raise typer.Exit(1)

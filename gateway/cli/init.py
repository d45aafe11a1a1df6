"""`gauger init`: a directory to begin with."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to; made if it is not there.")
    ],
) -> None:
    """Write policies, scenarios and settings to begin with.

    All are commented. Nothing is overwritten: if any of the files exists, none is written.

    Example: gauger init policies

    Exit codes: 0 written; 2 something is in the way.
    """
    # pydantic takes its time, and --help does not need it.
    from gateway.cli.starter import write_starter  # noqa: PLC0415

    write_starter(directory)

"""`gauger version`, and `--version`, which people try first."""

import platform

import typer

from gateway import __version__


def version() -> None:
    """Print the version."""
    typer.echo(f"gauger {__version__} (Python {platform.python_version()})")


def show(wanted: bool) -> None:  # an option's callback
    if wanted:
        version()
        raise typer.Exit

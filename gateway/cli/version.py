"""`gauger version`."""

import platform

import typer

from gateway import __version__


def version() -> None:
    """Print the version."""
    typer.echo(f"gauger {__version__} (Python {platform.python_version()})")

"""The command line. Each command is one file, and imports what it needs when it runs."""

from gateway.cli.commands import main

__all__ = ["main"]

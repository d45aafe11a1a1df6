"""The operator's view, on a port of its own: what it shows, measures and changes."""

from gateway.console.accounts import AccountDesk
from gateway.console.app import make_console
from gateway.console.census import Census
from gateway.console.status import ConsoleStatus

__all__ = ["AccountDesk", "Census", "ConsoleStatus", "make_console"]

"""The operator's view, on a port of its own: status page, decisions, health, metrics, reload."""

from gateway.console.app import make_console
from gateway.console.census import Census
from gateway.console.status import ConsoleStatus

__all__ = ["Census", "ConsoleStatus", "make_console"]

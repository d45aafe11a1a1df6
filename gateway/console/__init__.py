"""The operator's view, on a port of its own: status page, recent decisions, health, metrics."""

from gateway.console.app import make_console
from gateway.console.status import ConsoleStatus

__all__ = ["ConsoleStatus", "make_console"]

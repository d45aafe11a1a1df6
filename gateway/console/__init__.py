"""The operator's view, on a port of its own: what it shows, measures and changes."""

from gateway.console.accounts import AccountDesk
from gateway.console.app import make_console
from gateway.console.audit import AuditLog, Operator
from gateway.console.census import Census
from gateway.console.fleets import FleetDesk
from gateway.console.probes import make_probes
from gateway.console.status import ConsoleStatus
from gateway.console.token import AdminToken

__all__ = [
    "AccountDesk",
    "AdminToken",
    "AuditLog",
    "Census",
    "ConsoleStatus",
    "FleetDesk",
    "Operator",
    "make_console",
    "make_probes",
]

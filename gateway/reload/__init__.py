"""What operators write, read anew while traffic flows: the new is used only if it is sound."""

from gateway.reload.reloader import Reloader
from gateway.reload.watch import FileWatch
from gateway.reload.written import Outcome, Refused, Reloaded, Written

__all__ = ["FileWatch", "Outcome", "Refused", "Reloaded", "Reloader", "Written"]

"""A shared store that may be away: what holds meanwhile, and how it is made good."""

from gateway.store.outage.store import OutageStore

__all__ = ["OutageStore"]

"""Counters in this process alone: for one gateway, for tests and for replay."""

from gateway.store.memory.counters import MemoryStore

__all__ = ["MemoryStore"]

"""What a partition takes in a store at most, by a formula: every window full, every slice written.

The figures were fitted to a Redis 8, a Valkey 9 and CPython 3.11 on 64 bits, and a test holds them
to the real stores. Redis counts as `MEMORY USAGE` does, for one key.
"""

from collections.abc import Iterable

from gateway.decision.meter import SLICES
from gateway.policy.quota import Limit, Unit, WindowKind

_SLIDING_HEAD_BYTES, _BUCKET_HEAD_BYTES = 19, 34
_CALENDAR_BYTES, _PACED_BYTES = 13, 14
_HELD_BYTES = 15
_OWN_BYTES = 7
"""The packed states of `store/scripts`."""

_COMPACT_VALUE_BYTES = 64
"""`hash-max-listpack-value`: a hash with a longer value is stored as a table."""

_COMPACT_BYTES, _COMPACT_FIELD_BYTES = 120, 13
_TABLE_BYTES, _TABLE_FIELD_BYTES = 232, 32

_CELL_BYTES, _METER_BYTES, _SLICE_BYTES, _HOLDER_BYTES = 680, 140, 84, 190
"""In memory: Python's objects."""


def redis_bytes(limits: Iterable[Limit]) -> int:
    """Of one partition with these limits."""
    limits = tuple(limits)
    held = sum(limit.amount for limit in limits if limit.kind is WindowKind.IN_FLIGHT)
    values = [_OWN_BYTES + _HELD_BYTES * max(1, held), *map(_packed_bytes, limits)]
    if max(values) > _COMPACT_VALUE_BYTES:
        return _TABLE_BYTES + sum(value + _TABLE_FIELD_BYTES for value in values)
    return _COMPACT_BYTES + sum(value + _COMPACT_FIELD_BYTES for value in values)


def memory_bytes(limits: Iterable[Limit]) -> int:
    """Of one partition with these limits."""
    return _CELL_BYTES + sum(map(_object_bytes, limits))


def _packed_bytes(limit: Limit) -> int:
    width = (limit.amount.bit_length() + 7) // 8
    match limit.kind:
        case WindowKind.SLIDING:
            return _SLIDING_HEAD_BYTES + SLICES * (1 + width)
        case WindowKind.CALENDAR:
            return _CALENDAR_BYTES
        case WindowKind.IN_FLIGHT:
            return _HELD_BYTES * limit.amount
        case WindowKind.BUCKET:
            if limit.unit is Unit.REQUESTS:
                return _PACED_BYTES
            return _BUCKET_HEAD_BYTES + SLICES * (1 + width)


def _object_bytes(limit: Limit) -> int:
    if limit.kind is WindowKind.IN_FLIGHT:
        return _METER_BYTES + _HOLDER_BYTES * limit.amount
    paced = limit.kind is WindowKind.BUCKET and limit.unit is Unit.REQUESTS
    if paced or limit.kind is WindowKind.CALENDAR:
        return _METER_BYTES
    return _METER_BYTES + _SLICE_BYTES * SLICES

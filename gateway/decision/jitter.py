"""How much later than needed somebody is told to come back, so that a crowd does not come at once.

It only adds: who waits as told is admitted, as the one is who waits no longer than he must.
"""

from zlib import crc32

MOST_US = 1_000_000
"""Of what an operator may set. A second parts a crowd; a longer one wastes what is free again."""


def later_us(name: str, most_us: int) -> int:
    """0 to `most_us`, evenly over names such as the ids of reservations, and the same for each."""
    return crc32(name.encode()) * (most_us + 1) >> 32

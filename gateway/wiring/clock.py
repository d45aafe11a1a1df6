"""The one clock of a running gauger."""

import time


def wall_clock_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000

"""Guessing of keys and of the admin token, limited by the address that it comes from.

A credential is looked at first. Only one that failed is counted here, so that nobody with the right
one waits for a neighbour's guesses, and every failure costs the same.

This is the one limit that is not the store's: nothing that an unknown peer sends may reach that. So
each process counts for itself, with the `limits` package as it is.
"""

import math
import time
from collections import OrderedDict

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gateway.facts.principal import network_of

MOST_ADDRESSES = 1024
"""Those that failed last; 8 KiB each. Whoever has more addresses is held by none of them."""

SECOND_US = 1_000_000


class Guesses:
    """Failures in any minute, by IPv4 address or IPv6 /64.

    Each address has a storage of its own: one for all would be searched through by a thread of the
    package's after each failure, and would keep what has lapsed.
    """

    def __init__(self, per_minute: int, *, most_addresses: int = MOST_ADDRESSES) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._most_addresses = most_addresses
        self._by_network: OrderedDict[str, MovingWindowRateLimiter] = OrderedDict()

    def failed(self, address: str | None) -> int | None:
        """Until the next failure is answered as one, in microseconds; None: this one is.

        Those without an address, by a Unix socket, are as one.
        """
        network = network_of(address) or ""
        limiter = self._by_network.get(network)
        if limiter is None:
            limiter = self._by_network[network] = MovingWindowRateLimiter(MemoryStorage())
            if len(self._by_network) > self._most_addresses:
                self._by_network.popitem(last=False)
        self._by_network.move_to_end(network)
        # Asked first: a hit begins a thread of the package's, also where it is refused.
        if limiter.test(self._limit) and limiter.hit(self._limit):
            return None
        free_at_s = limiter.get_window_stats(self._limit).reset_time
        return max(1, math.ceil(free_at_s - time.time())) * SECOND_US

"""Whether the server that counts took over lately, and may lack what the one before it counted.

A master answers before its replicas have heard of it. If it dies then, whoever takes over does not
know what it acknowledged last. Who waits for the replicas (`?wait=1`) is never in doubt.
"""

import time
from collections.abc import Callable

from gateway.decision.port import StoreState

DOUBTFUL_SECONDS = 10.0
"""For so long after a server took over its decisions are marked."""


class Doubt:
    """`monotonic` gives seconds."""

    def __init__(
        self, *, possible: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._possible = possible
        self._monotonic = monotonic
        self._until = 0.0

    def begin(self) -> None:
        """Another server has taken over."""
        if self._possible:
            self._until = self._monotonic() + DOUBTFUL_SECONDS

    @property
    def state(self) -> StoreState:
        """Of a decision that is made now."""
        if self._until and self._monotonic() < self._until:
            return StoreState.DOUBTFUL
        return StoreState.OK

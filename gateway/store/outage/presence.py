"""How many replicas share the store, and whether this one may count on its part.

Each says in the store every few seconds that it lives; who is silent for `LASTING_US` is no longer
counted. A newcomer waits for its share until the others have certainly heard of it.
"""

from collections.abc import Callable

from gateway.decision.port import Present

HEARTBEAT_SECONDS = 2.0
LASTING_US = 10_000_000


class Presence:
    """`monotonic` gives seconds."""

    def __init__(
        self,
        *,
        told: int | None,
        heartbeat_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`told`: how many replicas there are, if an operator says so."""
        self._told = told
        self._heartbeat = heartbeat_seconds
        self._monotonic = monotonic
        self._count: int | None = None
        self._first_at = 0.0

    def heard(self, present: Present) -> bool:
        """False if the store has forgotten what it knew of this replica."""
        forgotten = self._count is not None and not present.known
        if self._count is None:
            alone = present.replicas == 1
            self._first_at = self._monotonic() - (2 * self._heartbeat if alone else 0)
        self._count = present.replicas
        return not forgotten

    @property
    def replicas(self) -> int | None:
        """Among how many a limit is divided; None: this replica has no share."""
        if self._count is None or self._is_new:
            return self._told
        return max(self._count, self._told or 1)

    @property
    def why_none(self) -> str:
        if self._count is None:
            return (
                "this replica has not seen the store since it began, and nobody told it by "
                "--replicas how many there are"
            )
        return "the other replicas may not have heard of this one yet"

    @property
    def _is_new(self) -> bool:
        return self._monotonic() - self._first_at < 2 * self._heartbeat

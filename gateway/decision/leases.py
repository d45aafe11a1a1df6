"""What has begun and not ended: one entry per exchange, each until its deadline.

Two uses of one list. A concurrency slot is an entry that a living exchange renews; when its holder
dies it lapses. The record of a reservation is an entry that lives longer (an hour) and makes
settlement happen once: who removes it settles, whoever comes later finds nothing. There is no
counter to go up and down, so none can drift.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Leases:
    """Entries in the order of their deadlines (all of one list last equally long)."""

    deadlines_us: dict[str, int] = field(default_factory=dict)

    def advance(self, now_us: int) -> None:
        """Forget what has lapsed."""
        for holder, deadline_us in list(self.deadlines_us.items()):
            if deadline_us > now_us:
                break
            del self.deadlines_us[holder]

    def hold(self, holder: str, until_us: int) -> None:
        """Begin, or renew."""
        self.deadlines_us.pop(holder, None)
        self.deadlines_us[holder] = until_us

    def release(self, holder: str) -> bool:
        """True if it was held."""
        return self.deadlines_us.pop(holder, None) is not None

    def __len__(self) -> int:
        return len(self.deadlines_us)

    def __contains__(self, holder: str) -> bool:
        return holder in self.deadlines_us

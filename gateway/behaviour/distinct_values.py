"""How many different values there were: exact up to `KEPT`, estimated beyond.

The smallest keyed hashes are kept (a bottom-k sketch); each remembers when it came last, so that a
reading can be over any window up to the one it was made for.
"""

KEPT = 64

_ALL = 1 << 64


class DistinctValues:
    __slots__ = ("bound", "kept")

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}
        """Hash to the moment when it came last."""
        self.bound = _ALL

    def see(self, value: int, at_us: int) -> None:
        if value in self.kept:
            self.kept[value] = at_us
        elif value < self.bound:
            self.kept[value] = at_us
            if len(self.kept) > KEPT:
                self.bound = max(self.kept)
                del self.kept[self.bound]

    def number(self, since_us: int) -> float:
        found = sum(1 for at_us in self.kept.values() if at_us >= since_us)
        return found if self.bound == _ALL else found * (_ALL / self.bound)

    def forget_before(self, moment_us: int) -> None:
        kept = {value: at_us for value, at_us in self.kept.items() if at_us >= moment_us}
        if len(kept) * 2 < KEPT:
            self.bound = _ALL
        self.kept = kept

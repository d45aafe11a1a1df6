"""How many lines a second a log takes of one sort: a flood of requests must not fill it."""

from dataclasses import dataclass

_SECOND_US = 1_000_000


@dataclass(slots=True)
class LineCap:
    per_s: int
    left_out: int = 0
    """Since this was last told, which is up to whoever writes the lines."""
    _second: int = 0
    _taken: int = 0

    def take(self, at_us: int) -> bool:
        """Whether a line may be written. `at_us` is of the wall clock."""
        second = at_us // _SECOND_US
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        if self._taken <= self.per_s:
            return True
        self.left_out += 1
        return False

    def told(self) -> int:
        """How many were left out, once."""
        count, self.left_out = self.left_out, 0
        return count

"""What a token of a model costs: prices by the model's name, or by a pattern of names.

An exact name wins over a pattern, and of patterns the one with the most letters other than `*`; of
equals the first in the order of the alphabet. So the order of lines and files does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.policy.remembered import Remembered
from gateway.policy.weights import Weights, dearest

ANYTHING = "*"


@dataclass(frozen=True, slots=True)
class Prices:
    """The weight of a token of each kind, in millionths of a micro-USD.

    That is the same number as the price of a million of them in micro-USD.
    """

    by_pattern: Mapping[str, Weights] = field(default_factory=dict)
    _found: Remembered[str, Weights | None] = field(init=False, repr=False, compare=False)
    _ranked: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns = (pattern for pattern in self.by_pattern if ANYTHING in pattern)
        ranked = sorted(patterns, key=lambda p: (p.count(ANYTHING) - len(p), p))
        object.__setattr__(self, "_ranked", tuple(ranked))
        object.__setattr__(self, "_found", Remembered(self._find))

    def __bool__(self) -> bool:
        return bool(self.by_pattern)

    @property
    def complete(self) -> bool:
        """Every model has a price."""
        return any(not pattern.strip(ANYTHING) for pattern in self._ranked)

    def of(self, model: str) -> Weights | None:
        return self._found(model)

    @property
    def dearest(self) -> Weights:
        """Of each kind of token the highest price; there is at least one price."""
        return dearest(tuple(self.by_pattern.values()))

    def _find(self, model: str) -> Weights | None:
        exact = self.by_pattern.get(model)
        if exact is not None and ANYTHING not in model:
            return exact
        pattern = next((p for p in self._ranked if fits(p, model)), None)
        return None if pattern is None else self.by_pattern[pattern]


def fits(pattern: str, name: str) -> bool:
    """`*` stands for any letters, or none. In one pass: a caller chooses the name."""
    first, *middle, last = pattern.split(ANYTHING)
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True

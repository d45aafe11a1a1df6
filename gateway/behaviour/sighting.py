"""What one exchange tells about an account and its groups: the input of all behaviour policies.

A sighting holds no text: of a prompt only keyed fingerprints, of an account only a keyed hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.facts.catalog import FactValue
from gateway.facts.prompt_traits import NO_SKETCH, Sketch
from gateway.values import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a prompt when it is judged whether it is new to its account."""

    beginning: int
    """Keyed hash of the first words; 0: there are none."""
    end: int
    words: int
    single: bool
    """One turn, no tools, no results of tools."""
    sketch: Sketch = NO_SKETCH


NOTHING_ASKED = Asked(0, 0, 0, single=False)


@made_often
@dataclass(frozen=True, slots=True)
class Sighting:
    at_us: int
    account: int
    """Keyed hash, 64 bits."""
    opened_us: int | None
    """When the account was opened, if the operator told us."""
    groups: tuple[tuple[int, ...], ...]
    """For each group of `Layout.groups` the keys that this exchange shows; none where a fact is
    missing."""
    named: Sequence[FactValue | None]
    """The facts that the expressions name (`Layout.facts`), but for those of the history."""
    asked: Asked = NOTHING_ASKED
    answered: bool = False
    """It is the answer's: only what is known after it is recorded, the rest was seen before."""

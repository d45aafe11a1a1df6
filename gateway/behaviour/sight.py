"""The facts of one exchange make a sighting: keyed hashes and the values that rules ask for."""

from collections.abc import Callable, Sequence
from itertools import product

from gateway.behaviour.codec import PRIVATE
from gateway.behaviour.hashing import Hash64, group_key
from gateway.behaviour.layout import Layout
from gateway.behaviour.sighting import NOTHING_ASKED, Asked, Sighting
from gateway.facts.behaviour_facts import ALL_FACTS
from gateway.facts.catalog import Facts
from gateway.policy.expressions import Expressions
from gateway.policy.remembered import Remembered

FRAME = "prompt.frame"
PROMPTS = "prompt."

REMEMBERED = 65_536

Keys = tuple[tuple[int, ...], ...]
"""For each group of a layout those that an exchange belongs to."""


class Sight:
    """What the rules in force look at."""

    def __init__(self, layout: Layout, expressions: Expressions, hash64: Hash64) -> None:
        self._expressions = expressions
        self._hash64 = hash64
        self._names = tuple(dict.fromkeys(name for names in layout.groups for name in names))
        self._read = [_reader(name) for name in self._names]
        named = [fact.name for fact in expressions.facts]
        compared = {
            fact.name
            for text in expressions.texts
            if text not in ALL_FACTS
            for fact in Expressions([text]).facts
        }
        self.hidden = tuple(
            at for at, name in enumerate(named) if name in PRIVATE and name not in compared
        )
        """Of the named facts those that leave the process only hashed."""
        self._groups = [_Group(names, self._names, hash64) for names in layout.groups]

    def of(self, facts: Facts, groups: Keys | None = None, *, answered: bool = False) -> Sighting:
        """`groups`, if they are known already. `answered`: the facts are those after the answer."""
        created_at_s = facts.principal.account.created_at_s
        return Sighting(
            facts.at_us,
            self._hash64(facts.principal.account.id),
            None if created_at_s is None else created_at_s * 1_000_000,
            self.groups(facts) if groups is None else groups,
            self._expressions.read(facts),
            NOTHING_ASKED if answered else self._asked(facts),
            answered,
        )

    def groups(self, facts: Facts) -> Keys:
        """The keys of every group whose trait the exchange shows."""
        values = [read(facts) for read in self._read]
        return tuple([group.keys(values) for group in self._groups])

    def _asked(self, facts: Facts) -> Asked:
        rest = facts.prompt.rest
        if not rest.words:
            return NOTHING_ASKED
        return Asked(
            int(rest.beginning, 16),
            int(rest.end, 16),
            rest.words,
            single=facts.prompt.single,
            sketch=rest.sketch,
        )


class _Group:
    """One combination of facts that members share."""

    def __init__(self, names: tuple[str, ...], read: tuple[str, ...], hash64: Hash64) -> None:
        self._names = names
        self._hash64 = hash64
        self._places = [read.index(name) for name in names]
        self._only = self._places[0] if len(names) == 1 else None
        self._fingerprints = self._only is not None and names[0].startswith(PROMPTS)
        self._salt = hash64("".join(names))
        self._of: Remembered[tuple[str, ...], int] = Remembered(self._key, REMEMBERED)

    def keys(self, values: Sequence[tuple[str, ...]]) -> tuple[int, ...]:
        only = self._only
        if only is None:
            found = [values[at] for at in self._places]
            return tuple([self._of(of) for of in product(*found)]) if all(found) else ()
        if self._fingerprints:  # keyed hashes already
            return tuple([int(value, 16) ^ self._salt for value in values[only]])
        return (self._of(values[only]),) if values[only] else ()

    def _key(self, values: tuple[str, ...]) -> int:
        return group_key(self._hash64, self._names, values)


def _reader(name: str) -> Callable[[Facts], tuple[str, ...]]:
    """No value where the exchange has none; a prompt may have several frames."""
    if name == FRAME:
        return lambda facts: facts.prompt.frames
    of = ALL_FACTS[name].read

    def read(facts: Facts) -> tuple[str, ...]:
        found = of(facts)
        if found is None or found == "":
            return ()
        return (found if isinstance(found, str) else str(found),)

    return read

"""The facts of one exchange make a sighting: keyed hashes and the values that rules ask for."""

from itertools import product

from gateway.behaviour.hashing import Hash64, group_key
from gateway.behaviour.layout import Layout
from gateway.behaviour.sighting import NOTHING_ASKED, Asked, Sighting
from gateway.facts.behaviour_facts import ALL_FACTS
from gateway.facts.catalog import Facts
from gateway.policy.expressions import Expressions

FRAME = "prompt.frame"


class Sight:
    """What the rules in force look at."""

    def __init__(self, layout: Layout, expressions: Expressions, hash64: Hash64) -> None:
        self._groups = layout.groups
        self._expressions = expressions
        self._hash64 = hash64

    def of(self, facts: Facts) -> Sighting:
        created_at_s = facts.principal.account.created_at_s
        return Sighting(
            facts.at_us,
            self._hash64(facts.principal.account.id),
            None if created_at_s is None else created_at_s * 1_000_000,
            self.groups(facts),
            self._expressions.read(facts),
            self._asked(facts),
        )

    def groups(self, facts: Facts) -> tuple[tuple[int, ...], ...]:
        """The keys of every group whose trait the exchange shows."""
        values: dict[str, tuple[str, ...]] = {}
        keys = []
        for names in self._groups:
            found = []
            for name in names:
                if name not in values:
                    values[name] = self._values(name, facts)
                found.append(values[name])
            keys.append(
                tuple([group_key(self._hash64, names, of) for of in product(*found)])
                if all(found)
                else ()
            )
        return tuple(keys)

    def value(self, name: str, facts: Facts) -> str | None:
        found = self._values(name, facts)
        return found[0] if found else None

    def _values(self, name: str, facts: Facts) -> tuple[str, ...]:
        """None where the exchange does not have it; a prompt may have several frames."""
        if name == FRAME:
            return facts.prompt.frames
        found = ALL_FACTS[name].read(facts)
        if found is None or found == "":
            return ()
        return (found if isinstance(found, str) else str(found),)

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

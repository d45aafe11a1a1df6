"""Behaviour policies at work in one process: sightings in, standings out.

Nothing here waits. `standing` is asked before an exchange is admitted and costs little where
nothing is held against anybody; `take` comes later, when the request is on its way.
"""

from gateway.behaviour.board import Board
from gateway.behaviour.hashing import Hash64, hash64
from gateway.behaviour.judgement import Judgement
from gateway.behaviour.layout import Holds, Layout, layout
from gateway.behaviour.population import Population
from gateway.behaviour.record import Beginning, Finding, Recorder
from gateway.behaviour.shelf import Caps, Shelf
from gateway.behaviour.sight import Keys, Sight
from gateway.behaviour.sighting import Sighting
from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.behaviour.verdicts import Verdicts
from gateway.facts.behaviour_facts import ALL_FACTS
from gateway.facts.catalog import Facts
from gateway.facts.fingerprint import Fingerprints
from gateway.facts.history import History
from gateway.facts.phrases import PhraseLists
from gateway.policy.behaviour import Behaviour, Behaviours
from gateway.policy.expressions import Expressions, MeasureCondition


class Watch:
    """Not for two threads."""

    def __init__(self, behaviours: Behaviours, key: bytes, caps: Caps | None = None) -> None:
        """`key` is the deployment's secret for fingerprints."""
        self.board = Board()
        self.shelf = Shelf(caps)
        self.population = Population(())
        self._key = key
        self.hash64: Hash64 = hash64(key)
        self._began = Beginning()
        self._looked_at: tuple[Facts | None, Keys] = None, ()
        """The groups of the exchange that was asked about last: mostly it is recorded next."""
        self.put_in_force(behaviours)

    def put_in_force(self, behaviours: Behaviours) -> None:
        """What is known stays, but for states whose meaning has changed."""
        self.behaviours = behaviours
        lists = {one.id: one.phrases for one in behaviours.lists.values()}
        self.fingerprints = Fingerprints(self._key, PhraseLists(lists))
        self._looked_at = None, ()
        made: Layout = layout(behaviours)
        self.layout = made
        self.population.ask_for(made.population)
        expressions = Expressions(made.expressions)
        self._applies = {
            rule.id: Expressions([rule.applies]) for rule in behaviours.rules if rule.applies
        }
        self.sight = Sight(made, expressions, self.hash64)
        self.recorder = Recorder(
            made,
            expressions.evaluate,
            {rule.id: _holds(rule) for rule in behaviours.rules},
            self.shelf,
            self.population,
            hash64=self.hash64,
            began=self._began,
        )
        self.recorder.fleets = self.board.likenesses()
        self.verdicts = Verdicts(behaviours, self.recorder, self.board)
        self._judgement = Judgement(behaviours, self.board)

    @property
    def at_work(self) -> bool:
        return bool(self.behaviours)

    def standing(self, facts: Facts) -> Standing:
        """What is in force for an exchange that has just come."""
        if not self.board:
            return NO_STANDING
        account = self.hash64(facts.principal.account.id)
        exempt = self._exemption(facts)
        if exempt is not None:
            return exempt
        groups = self.sight.groups(facts)
        self._looked_at = facts, groups
        return self._judgement.standing(
            account,
            groups,
            facts.at_us,
            lambda: self.recorder.history(self.sight.of(facts, groups)),
            lambda rule, past: self._concerns(rule, facts, past),
        )

    def take(self, seen: Sighting) -> list[Finding]:
        return self.verdicts.take(seen)

    def seen(self, facts: Facts) -> Sighting:
        looked_at, groups = self._looked_at
        return self.sight.of(facts, groups if looked_at is facts else None)

    def answered(self, facts: Facts) -> Sighting | None:
        """Of facts with the usage of their answer; None where nobody asks for it."""
        return self.sight.of(facts, answered=True) if self.layout.after_answer else None

    def see(self, facts: Facts) -> list[Finding]:
        """Record an exchange."""
        return self.verdicts.take(self.seen(facts))

    def _concerns(self, rule: str, facts: Facts, past: History) -> bool:
        expressions = self._applies[rule]
        return expressions.evaluate(expressions.read(facts), past)[0] is True

    def _exemption(self, facts: Facts) -> Standing | None:
        for one in self.behaviours.exemptions:
            if facts.at_us < one.until_us and ALL_FACTS[one.fact].read(facts) == one.value:
                return Standing(exempt=one)
        return None


def _holds(rule: Behaviour) -> Holds:
    return MeasureCondition(rule.when, [measure.name for measure in rule.measures]).holds

"""Who belongs to a flagged group, beyond those requests that show its trait.

Two ways lead in. An account without a past of its own that showed a flagged trait of its prompts
twice is a member in all that it does: cover traffic does not hide it. And of a trait that many
honest accounts have, too (a network, a client), only those are members whose own prompts are like
the group's.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace

from gateway.behaviour.board import Board, Flagged
from gateway.behaviour.record import Recorder
from gateway.behaviour.score import Evidence
from gateway.behaviour.sighting import Sighting
from gateway.behaviour.states import GroupState
from gateway.policy.behaviour import Behaviour, Behaviours, Members

ALIKE = 0.6
"""An account's prompts are like a group's if they share so much of its cohesion."""

LATER_PROMPTS = 4
"""Of an account that comes later. Those that made the group what it is need `FIRST_PROMPTS`."""

FIRST_PROMPTS = 2

SHOWN = 2
"""So often an account shows a flagged trait of prompts before it is a member in all it does."""

REMEMBERED = 100_000


class Membership:
    def __init__(self, behaviours: Behaviours, recorder: Recorder, board: Board) -> None:
        self._rules = {rule.id: rule for rule in behaviours.rules if rule.points > 0}
        self._salts = {rule.id: kind.salt for kind in recorder.layout.kinds for rule in kind.rules}
        self._recorder = recorder
        self._board = board
        self._shown: OrderedDict[tuple[int, int], int] = OrderedDict()

    def of(self, seen: Sighting) -> Iterator[Evidence]:
        """What this exchange makes the account a member by."""
        for keys in seen.groups:
            for key in keys:
                flagged = self._board.groups.get(key)
                if flagged is not None:
                    yield from self._of_group(flagged, seen)

    def _of_group(self, flagged: Flagged, seen: Sighting) -> Iterator[Evidence]:
        for rule_id, evidence in flagged.evidence.items():
            rule = self._rules.get(rule_id)
            if rule is None:
                continue
            if rule.members is Members.ALIKE:
                group = self._group(flagged.key, rule)
                belongs = group is not None and self.is_alike(
                    seen.account, rule, flagged.key, group
                )
            else:
                belongs = self._keeps_showing(seen, flagged, rule)
            if belongs:
                yield replace(evidence, at_us=seen.at_us)

    def founders(self, rule: Behaviour, key: int, group: GroupState) -> Iterator[int]:
        """The accounts that made a group what it is, when its rule holds for the first time."""
        if rule.members is Members.ALIKE and rule.points > 0:
            for account in group.members:
                if self.is_alike(account, rule, key, group):
                    yield account

    def is_alike(self, account: int, rule: Behaviour, key: int, group: GroupState) -> bool:
        state = self._recorder.shelf.accounts.get(account)
        if state is None or state.pool is None or group.cohort is None:
            return False
        member = key ^ self._salts[rule.id] in state.joined
        if state.pool.prompts < (FIRST_PROMPTS if member else LATER_PROMPTS):
            return False
        usual = self._recorder.population.usual
        return group.cohort.alike(state.pool, usual, member=member) >= ALIKE

    def _group(self, key: int, rule: Behaviour) -> GroupState | None:
        return self._recorder.shelf.groups.get(key ^ self._salts[rule.id])

    def _keeps_showing(self, seen: Sighting, flagged: Flagged, rule: Behaviour) -> bool:
        """Of traits of prompts: those of an account are with it in every request anyway."""
        if not any(name.startswith("prompt.") for name in rule.group):
            return False
        if not self._recorder.history(seen).fresh:
            return False
        pair = seen.account, flagged.key
        shown = self._shown.pop(pair, 0) + 1
        self._shown[pair] = shown
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        return shown >= SHOWN

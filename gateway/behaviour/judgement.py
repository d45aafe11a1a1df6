"""The board and one request make a standing: what is in force for it, worked out in process."""

from collections.abc import Callable, Iterator, Sequence

from gateway.behaviour.board import Board, Flagged, Hand
from gateway.behaviour.score import Evidence, rung_of, weigh
from gateway.behaviour.standing import NO_STANDING, Standing, in_force
from gateway.facts.history import History
from gateway.policy.behaviour import Behaviours, Members, Rung
from gateway.policy.quota import Mode

Applies = Callable[[str, History], bool]
"""Whether the rule of this id concerns the request, given the account's past."""


class Judgement:
    """Reads a board by the rules in force."""

    def __init__(self, behaviours: Behaviours, board: Board) -> None:
        self._score = behaviours.score
        self._ladder = behaviours.ladder
        self._rules = {rule.id: rule for rule in behaviours.rules}
        self._board = board
        self._contained_at = next((s.at for s in self._ladder if s.do is Rung.THROTTLE), 0)
        """So many points hold a group to its shared budget."""

    def standing(
        self,
        account: int,
        groups: Sequence[Sequence[int]],
        now_us: int,
        history: Callable[[], History],
        applies: Applies,
    ) -> Standing:
        """`groups`: the keys of all groups whose trait the request shows.

        `history` and `applies` are asked only if something is held against one of them.
        """
        board = self._board
        case = board.cases.get(account)
        shown = [board.groups[key] for keys in groups for key in keys if key in board.groups]
        if case is None and not shown:
            return NO_STANDING
        evidence = [] if case is None else [e for e in case.evidence.values() if self._counts(e)]
        concerning = list(self._concerning(shown, history, applies)) if shown else []
        concerning += [
            by_operator(one.key, now_us, self._contained_at)
            for one in shown
            if one.by_hand is Hand.CONTAIN
        ]
        everything = [*evidence, *concerning]
        held = max([case.held] if case else [], default=Rung.NONE)
        held = max([held, *(self._held(flagged, concerning) for flagged in shown)])
        enforced = [one for one in everything if one.mode is Mode.ENFORCE]
        weighed = weigh(enforced, now_us, self._score)
        response = rung_of(weighed, self._ladder, self._score, held)
        if response is Rung.BLOCK and (case is None or now_us >= case.until_us):
            response = Rung.CHALLENGE if self._has(Rung.CHALLENGE) else Rung.THROTTLE
        if case is not None and now_us < case.until_us:
            response = Rung.BLOCK
        steps = in_force(self._ladder, response)
        shadow = rung_of(weigh(everything, now_us, self._score), self._ladder, self._score, held)
        return Standing(
            response=max((step.do for step in steps), default=Rung.NONE),
            shadow=max(shadow, response),
            score=weighed.points,
            steps=steps,
            evidence=tuple(everything),
            fleets=tuple(self._fleets(shown, everything)) if response >= Rung.THROTTLE else (),
            until_us=case.until_us if case is not None and response is Rung.BLOCK else None,
        )

    def _counts(self, evidence: Evidence) -> bool:
        """Its rule is in force, and its group was not released by hand."""
        if evidence.rule not in self._rules:
            return False
        group = None if evidence.group is None else self._board.groups.get(evidence.group)
        return group is None or group.by_hand is not Hand.RELEASE

    def _has(self, rung: Rung) -> bool:
        return any(step.do is rung and step.mode is Mode.ENFORCE for step in self._ladder)

    def _concerning(
        self, shown: list[Flagged], history: Callable[[], History], applies: Applies
    ) -> Iterator[Evidence]:
        past = history()
        for flagged in shown:
            if flagged.by_hand is Hand.RELEASE:
                continue
            for one in flagged.evidence.values():
                rule = self._rules.get(one.rule)
                if rule is None or rule.members is Members.ALIKE:
                    continue  # an account that is alike has it in its case
                if rule.applies is None or applies(rule.id, past):
                    yield one

    def _held(self, flagged: Flagged, concerning: list[Evidence]) -> Rung:
        return flagged.held if any(e.group == flagged.key for e in concerning) else Rung.NONE

    def _fleets(self, shown: list[Flagged], evidence: list[Evidence]) -> Iterator[int]:
        """Each once: the flagged groups by which this request is held."""
        keys = {one.group for one in evidence if one.group is not None and one.points > 0}
        for flagged in shown:
            if flagged.key in keys and _is_contained(flagged):
                keys.discard(flagged.key)
                yield flagged.key
        for key in keys:
            if key in self._board.groups and _is_contained(self._board.groups[key]):
                yield key


def by_operator(group: int, now_us: int, points: int) -> Evidence:
    return Evidence("operator", "Contained by an operator.", points, now_us, now_us, group=group)


def _is_contained(flagged: Flagged) -> bool:
    return flagged.held >= Rung.THROTTLE or flagged.by_hand is Hand.CONTAIN

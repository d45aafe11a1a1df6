"""Evidence becomes points, and points a rung of the ladder.

A rule's points count once while it holds and fade from the moment when it last held: by half in
every half-life. A rung is left so many points below the one where it was entered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.policy.behaviour import Response, Rung, Score
from gateway.policy.quota import Mode

FADED = 0.5
"""Points below this are nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rule that held, of one account or group."""

    rule: str
    why: str
    points: int
    at_us: int
    """When it held last."""
    since_us: int
    """When it held first."""
    measured: tuple[tuple[str, float], ...] = ()
    group: int | None = None
    """Key of the group that it is about; None: about the account itself."""
    mode: Mode = Mode.ENFORCE

    def points_at(self, now_us: int, score: Score) -> float:
        age_us = max(0, now_us - self.at_us)
        points = self.points * 0.5 ** (age_us / score.half_life_us)
        return points if abs(points) >= FADED else 0.0

    def gone_us(self, score: Score) -> int:
        """When nothing of it is left."""
        halvings = max(0, int(abs(self.points) / FADED).bit_length())
        return self.at_us + halvings * score.half_life_us


@dataclass(frozen=True, slots=True)
class Weighed:
    """What all evidence comes to at one moment."""

    points: float
    """Clamped; what shared evidence alone may not do is not in it yet."""
    own: float
    """Of evidence about the account itself."""
    independent: int
    """Rules that speak against it."""


def weigh(evidence: Iterable[Evidence], now_us: int, score: Score) -> Weighed:
    """Of each rule the strongest counts, however many groups show it."""
    best: dict[str, tuple[float, bool]] = {}
    for one in evidence:
        points = one.points_at(now_us, score)
        if points and abs(points) > abs(best.get(one.rule, (0.0, False))[0]):
            best[one.rule] = (points, one.group is None)
    total = sum(points for points, _ in best.values())
    own = sum(points for points, of_account in best.values() if of_account)
    independent = sum(1 for points, _ in best.values() if points > 0)
    return Weighed(_clamped(total, score), _clamped(own, score), independent)


def _clamped(points: float, score: Score) -> float:
    return min(float(score.most), max(float(score.least), points))


def rung_of(weighed: Weighed, ladder: Sequence[Response], score: Score, held: Rung) -> Rung:
    """`held` is the rung in force so far: it is left later than it was entered.

    What a group shows together reaches no higher than `shared_evidence_cap`, unless the account
    itself shows something, too, and enough rules agree. So nobody is shut out for what others copy
    from him.
    """
    reached = climbed(weighed.points, ladder, score, held)
    agree = weighed.own > 0 and weighed.independent >= score.independent_for_block
    if reached <= score.shared_evidence_cap or agree:
        return reached
    alone = climbed(weighed.own, ladder, score, held)
    return max(score.shared_evidence_cap, alone)


def climbed(points: float, ladder: Sequence[Response], score: Score, held: Rung) -> Rung:
    reached = Rung.NONE
    for step in ladder:
        enough = step.at - score.hysteresis if step.do <= held else step.at
        if points >= enough:
            reached = step.do
    return reached

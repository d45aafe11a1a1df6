"""What was decided about an exchange, in the words of the protocol: the one place that knows how.

`of_judged` reads what the replay engine says, `of_line` a line that `backtest --decisions` wrote.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.policy.behaviour import Rung
from gateway.replay.judged import Judged

RUNGS = tuple(rung.word for rung in Rung)
THROTTLE, DEGRADE, BLOCK = int(Rung.THROTTLE), int(Rung.DEGRADE), int(Rung.BLOCK)


class Verdict(NamedTuple):
    rung: int
    """Index in `RUNGS` of the highest response in force."""
    allowed: bool

    @property
    def detected(self) -> bool:
        """A quota's 429 without a rung is none."""
        return self.rung >= THROTTLE

    @property
    def contained(self) -> bool:
        """Refused because of a rung (a fleet's budget is one), or served at degrade and above."""
        return self.rung >= DEGRADE or (not self.allowed and self.rung >= THROTTLE)

    @property
    def leaked(self) -> bool:
        """A full answer."""
        return self.allowed and self.rung < DEGRADE


def of_judged(judged: Judged) -> Verdict:
    decision = judged.decision
    if decision is None:
        return Verdict(0, judged.allowed)
    rung = int(decision.standing.response)
    return Verdict(max(rung, THROTTLE) if decision.held_by_fleet else rung, judged.allowed)


def of_line(decision: Mapping[str, Any]) -> Verdict:
    return Verdict(RUNGS.index(decision["response"]), decision["decision"] == "allow")

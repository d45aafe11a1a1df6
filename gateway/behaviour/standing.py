"""What is in force for one request: the response, what it rests on, and what it asks for.

A standing is worked out in process from the board, without asking anybody.
"""

from dataclasses import dataclass

from gateway.behaviour.score import Evidence
from gateway.policy.behaviour import Exemption, Response, Rung
from gateway.policy.quota import Mode


@dataclass(frozen=True, slots=True)
class Standing:
    response: Rung = Rung.NONE
    """Enforced."""
    shadow: Rung = Rung.NONE
    """Where it would be if everything in shadow mode were enforced, too."""
    score: float = 0.0
    steps: tuple[Response, ...] = ()
    """The enforced steps of the ladder up to `response`, the lowest first: all of them act."""
    evidence: tuple[Evidence, ...] = ()
    fleets: tuple[int, ...] = ()
    """Keys of the flagged groups whose trait this request shows: it draws on their budget."""
    until_us: int | None = None
    """Of a block: when it ends."""
    exempt: Exemption | None = None
    """Nothing is done, since this holds."""

    def step(self, do: Rung) -> Response | None:
        """The step of the ladder that does this, if it is in force."""
        return next((step for step in self.steps if step.do is do), None)


NO_STANDING = Standing()


def in_force(ladder: tuple[Response, ...], rung: Rung) -> tuple[Response, ...]:
    """The steps that act. One in shadow mode does not, and those below it do."""
    return tuple([step for step in ladder if step.do <= rung and step.mode is Mode.ENFORCE])

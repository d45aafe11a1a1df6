"""What a policy directory made of one recorded exchange."""

from msgspec import Struct

from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.decision.outcome import Decision
from gateway.facts.refusal import Refusal
from gateway.replay.record import Record


class Judged(Struct, frozen=True):
    """A record with its decision. Made for every line, hence no dataclass: those cost 8 times."""

    record: Record
    at_us: int
    decision: Decision | None
    """None if it was refused before any policy saw it."""
    refusal: Refusal | None
    status: int
    """What the client would have got."""

    @property
    def standing(self) -> Standing:
        """What behaviour policies held against it."""
        return NO_STANDING if self.decision is None else self.decision.standing

    @property
    def allowed(self) -> bool:
        return self.refusal is None

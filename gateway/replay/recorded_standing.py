"""What behaviour policies held against an exchange when it was decided, as it stands in its record.

It rests on what many exchanges before it left behind, those of other gaugers, too: so where live
decisions are made again it is taken from here. Its steps are those of the policies' ladder.
"""

from typing import Literal

from msgspec import Struct, convert

from gateway.behaviour.score import Evidence
from gateway.behaviour.standing import NO_STANDING, Standing, in_force
from gateway.policy.behaviour import Behaviours, Exemption, Rung

Word = Literal["none", "observe", "tag", "throttle", "degrade", "challenge", "block"]


class RecordedStanding(Struct, frozen=True, omit_defaults=True):
    response: Word = "none"
    shadow: Word = "none"
    score: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    fleets: tuple[int, ...] = ()
    until_us: int | None = None
    exempt: Exemption | None = None

    def standing(self, behaviours: Behaviours) -> Standing:
        response = Rung[self.response.upper()]
        return Standing(
            response,
            Rung[self.shadow.upper()],
            self.score,
            in_force(behaviours.ladder, response),
            self.evidence,
            self.fleets,
            self.until_us,
            self.exempt,
        )


def recorded_standing(of: Standing) -> RecordedStanding | None:
    """None where there is nothing."""
    if of == NO_STANDING:
        return None
    return RecordedStanding(
        convert(of.response.word, Word),
        convert(of.shadow.word, Word),
        of.score,
        of.evidence,
        of.fleets,
        of.until_us,
        of.exempt,
    )

"""What a reservation was answered, and what it would have been answered in another's company."""

from dataclasses import dataclass

from gateway.decision.hand import Hand
from gateway.decision.port import Reading, Reserved, StoreState
from gateway.store.redis.words import Raw, Said, readings

_HEAD = 2
_OF_A_CHARGE = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one script."""

    said: Said
    answer: list[Raw]
    now_us: int
    hand: Hand
    state: StoreState

    @property
    def admitted(self) -> bool:
        return self.answer[0] == 1

    @property
    def reserved(self) -> Reserved:
        found = readings(self.said, self.answer[_HEAD:], self.now_us)
        return Reserved(self.admitted, self.now_us, found, self.state, self.hand)

    def given_back(self) -> tuple[Reading, ...]:
        """The readings if nothing was charged: the script tells how each meter was before."""
        told = self.answer[_HEAD:]
        told[::_OF_A_CHARGE] = [0] * (len(told) // _OF_A_CHARGE)
        return readings(self.said, told, self.now_us)

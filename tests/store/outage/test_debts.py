"""What a store is told when it is back: everything, once, as often as it fails meanwhile."""

import pytest

from gateway.decision.plan import Charge
from gateway.decision.port import Reservation, SettledCharge
from gateway.errors import StoreUnavailable
from gateway.policy.quota import Unit
from gateway.store.outage.debts import Debts
from gateway.store.outage.known import Memory
from tests.parts.values import charge, limit

TOKENS = charge(limit(1000, Unit.TOKENS), 100)
ACTUAL = (SettledCharge(TOKENS, 30),)


class Told:
    """Notes what it is told, and fails when it shall."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, int]] = []
        self.failing: str | None = None

    async def replay(self, reservation_id: str, charges: tuple[Charge, ...]) -> int:
        self._say("replay", reservation_id, charges[0].amount)
        return 77

    async def settle(self, reservation: Reservation, settled: tuple[SettledCharge, ...]) -> bool:
        self._say(f"settle at {reservation.at_us}", reservation.id, settled[0].actual)
        return True

    def _say(self, what: str, reservation_id: str, units: int) -> None:
        if self.failing is not None:
            raise StoreUnavailable("away", kind=self.failing)
        self.said.append((what, reservation_id, units))


def of(name: str) -> Reservation:
    return Reservation(name, 5, (TOKENS,))


async def test_what_was_admitted_alone_is_charged_and_then_settled() -> None:
    debts, told = Debts(Memory()), Told()
    debts.admitted(of("a"))
    debt = debts.find("a")
    assert debt is not None
    debt.settled = ACTUAL
    await debts.pay(told)  # type: ignore[arg-type]  # the two calls that matter
    await debts.pay(told)  # type: ignore[arg-type]
    assert told.said == [("replay", "a", 100), ("settle at 77", "a", 30)]


async def test_what_goes_on_is_settled_later_as_the_store_knows_it() -> None:
    debts, told = Debts(Memory()), Told()
    debts.admitted(of("a"))
    await debts.pay(told)  # type: ignore[arg-type]
    assert not debts
    assert debts.as_known(of("a")).at_us == 77
    assert debts.as_charged(of("a")).at_us == 77
    assert debts.as_charged(of("a")).at_us == 5, "once"


async def test_what_may_have_been_charged_comes_to_nothing() -> None:
    debts, told = Debts(Memory()), Told()
    debts.void("a", 9, (TOKENS,))
    await debts.pay(told)  # type: ignore[arg-type]
    assert told.said == [("settle at 9", "a", 0)]


async def test_a_store_that_fails_again_is_owed_still() -> None:
    debts, told = Debts(Memory()), Told()
    debts.over(of("a"), ACTUAL)
    told.failing = "timeout"
    with pytest.raises(StoreUnavailable):
        await debts.pay(told)  # type: ignore[arg-type]
    assert len(debts) == 1
    told.failing = None
    await debts.pay(told)  # type: ignore[arg-type]
    assert told.said == [("settle at 5", "a", 30)]


async def test_what_the_store_will_never_take_does_not_stand_in_the_way() -> None:
    debts, told = Debts(Memory()), Told()
    debts.over(of("a"), ACTUAL)
    told.failing = "response"
    await debts.pay(told)  # type: ignore[arg-type]
    assert (len(debts), debts.dropped) == (0, 1)


def test_the_oldest_is_dropped_and_counted_when_there_are_too_many() -> None:
    debts = Debts(Memory(), most=2)
    for name in "abc":
        debts.admitted(of(name))
    assert debts.find("a") is None
    assert (len(debts), debts.dropped) == (2, 1)

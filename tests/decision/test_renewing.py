from gateway.decision.renewing import RENEWALS_PER_LEASE, renew_every_us
from gateway.policy.quota import SECOND_US, Unit
from tests.parts.values import charge, limit


def test_the_shortest_lease_decides() -> None:
    slots = [limit(1, Unit.CONCURRENT, lease_us=of * SECOND_US) for of in (30, 6)]
    assert renew_every_us(map(charge, slots)) == 6 * SECOND_US // RENEWALS_PER_LEASE


def test_who_holds_no_slot_renews_nothing() -> None:
    assert renew_every_us([charge(limit(5))]) is None
    assert renew_every_us([]) is None

"""How often the slots of a living exchange are renewed, live and in replay alike."""

from collections.abc import Iterable

from gateway.decision.plan import Charge
from gateway.policy.quota import Unit

RENEWALS_PER_LEASE = 3
"""Two may fail before a slot lapses."""


def renew_every_us(charges: Iterable[Charge]) -> int | None:
    """None where none of the charges holds a slot."""
    leases_us = [c.limit.lease_us for c in charges if c.limit.unit is Unit.CONCURRENT]
    return min(leases_us) // RENEWALS_PER_LEASE if leases_us else None

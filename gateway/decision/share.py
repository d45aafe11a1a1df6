"""What one replica may admit alone while the store is away: its share of each limit.

With K replicas each enforces the K-th part of a limit, rounded down, so that together they admit no
more than the limit. What a replica knows of the time before counts: its own use in full, since it
made it; and of what was left over all when it last looked, again only the K-th part.
"""

from dataclasses import dataclass, replace

from gateway.decision.measured import terms
from gateway.decision.meter import MOST, Meter
from gateway.decision.plan import Charge
from gateway.decision.port import Reading
from gateway.policy.quota import SECOND_US, Limit, OnStoreFailure, WindowKind

RETRY_US = SECOND_US
"""Nobody can foresee when the store is back."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a replica knows of one meter."""

    used: int
    """By all replicas, when it last looked."""
    at_us: int
    """When that was."""
    own: tuple[tuple[int, int], ...] = ()
    """What it charged itself: moments, rising and rather too late than too early, and units."""
    holders: tuple[str, ...] = ()
    """Its own exchanges in flight, if slots are counted."""


def alone(charge: Charge, replicas: int) -> Charge:
    """What this replica charges to its own meters in the place of a charge."""
    limit = charge.limit
    if limit.on_store_failure is OnStoreFailure.OPEN:
        return replace(charge, limit=_boundless(limit))
    if limit.on_store_failure is OnStoreFailure.CLOSED:
        return replace(charge, limit=_nothing(limit))
    return replace(charge, limit=_part(limit, replicas))


def remember(meter: Meter, own: Charge, of: Limit, known: Known, replicas: int) -> None:
    """Bring a fresh meter of this replica's to where it stands by what is known."""

    def charge(units: int, at_us: int, holder: str = "") -> None:
        one = replace(own, amount=units)
        meter.charge(terms(one, at_us), holder, at_us)

    left = max(0, of.ceiling - known.used) // replicas
    if of.kind is WindowKind.IN_FLIGHT:
        for n in range(own.limit.ceiling - len(known.holders) - left):
            charge(1, known.at_us, f"elsewhere {n}")
        for holder in known.holders:
            charge(1, known.at_us, holder)
        return
    for at_us, units in known.own:
        charge(units, at_us)
    in_numbers = terms(own, known.at_us)
    too_much = own.limit.ceiling - meter.view(in_numbers, known.at_us).used - left
    if too_much > 0:
        charge(too_much, known.at_us)


def as_seen(charge: Charge, own: Charge, reading: Reading) -> Reading:
    """A reading of the replica's own meter, in units of the whole limit.

    What is left of the share is what is left.
    """
    left = max(0, own.limit.ceiling - reading.used)
    retry_after_us = reading.retry_after_us
    possible = charge.amount <= charge.limit.ceiling
    if retry_after_us is None and not reading.fits and possible:
        retry_after_us = RETRY_US  # more than a share holds, and not more than the limit
    return Reading(
        used=max(0, charge.limit.ceiling - left),
        fits=reading.fits,
        charged=reading.charged,
        retry_after_us=retry_after_us,
        full_after_us=reading.full_after_us,
    )


def _part(limit: Limit, replicas: int) -> Limit:
    amount, burst = limit.amount // replicas, limit.burst // replicas
    if not amount or (limit.kind is WindowKind.BUCKET and not burst):
        return _nothing(limit)
    return replace(limit, amount=amount, burst=burst)


def _nothing(limit: Limit) -> Limit:
    return replace(limit, kind=_countable(limit), amount=0)


def _boundless(limit: Limit) -> Limit:
    return replace(limit, kind=_countable(limit), amount=MOST)


def _countable(limit: Limit) -> WindowKind:
    """A kind that can hold any amount, and none."""
    held = limit.kind is WindowKind.IN_FLIGHT
    return WindowKind.IN_FLIGHT if held else WindowKind.SLIDING

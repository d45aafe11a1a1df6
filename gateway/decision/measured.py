"""A charge made into the numbers of its meter, and what the meter says made into a reading.

Both stores use this one translation, so that both say the same.
"""

from gateway.decision.calendar_periods import boundaries
from gateway.decision.meter import MOST, MOST_US, SLICES, Difference, Kind, Terms, View
from gateway.decision.plan import Charge
from gateway.decision.port import RECORD_US, Reading, SettledCharge
from gateway.policy.quota import Limit, Unit, WindowKind


def terms(charge: Charge, near_us: int = 0) -> Terms:
    """The charge's terms. What could never fit is cut to just above what could.

    `near_us` is a moment near the store's clock. Only a calendar window needs it: if the clock is
    beyond the windows around that moment (`calendar_meter.covers`), the terms must be made anew.
    """
    limit, units = charge.limit, charge.amount
    if limit.kind is WindowKind.SLIDING:
        capacity = min(MOST, limit.amount)
        cost = units if units <= capacity else capacity + 1
        return Terms(Kind.SLIDING, units, cost, capacity, limit.window_us // SLICES)
    kind = _kind(limit)
    if kind is Kind.PACED:
        span_us = -(-limit.window_us // limit.amount)  # rounded up, so that no charge is free
        capacity = min(limit.burst * span_us, MOST_US)
        return Terms(kind, units, min(units * span_us, capacity + 1), capacity, span_us)
    capacity = min(limit.ceiling, MOST)
    cost = min(units, capacity + 1)
    if kind is Kind.HELD:
        return Terms(kind, units, cost, capacity, limit.lease_us)
    if kind is Kind.CALENDAR:
        return Terms(kind, units, cost, capacity, 0, starts_us=boundaries(limit, near_us))
    rate = min(limit.amount, MOST) if kind is Kind.BUCKET else 0
    return Terms(kind, units, cost, capacity, limit.window_us // SLICES, rate)


def _kind(limit: Limit) -> Kind:
    if limit.kind is WindowKind.IN_FLIGHT:
        return Kind.HELD
    if limit.kind is WindowKind.CALENDAR:
        return Kind.CALENDAR
    return Kind.PACED if limit.unit is Unit.REQUESTS else Kind.BUCKET


def reading(view: View, terms: Terms, now_us: int, *, charged: bool) -> Reading:
    """`view` was taken before anything was charged."""
    empty_at_us = view.empty_at_if_charged_us if charged else view.empty_at_us
    return Reading(
        view.used + terms.units if charged else view.used,
        view.fits,
        charged,
        None if view.fits_at_us is None else view.fits_at_us - now_us,
        empty_at_us - now_us,
    )


def change(settled: SettledCharge, terms: Terms) -> int:
    """The actual less the reserved, in the meter's own measure. Use is never below zero."""
    units = max(0, settled.actual) - settled.charge.amount
    if terms.kind is Kind.PACED:
        return max(-MOST_US, min(units * terms.span_us, MOST_US))
    return max(-MOST, min(units, MOST))


def difference(change: int, reserved_at_us: int, record_until_us: int, now_us: int) -> Difference:
    """`record_until_us` tells what became of the moment of the reservation.

    It was `RECORD_US` ahead of it, and was moved with it when the clock was set back. Giving back
    to a slice that is older than the true one is safe: what remains counts longer.
    """
    at_us = min(reserved_at_us, record_until_us - RECORD_US, now_us)
    return Difference(change, at_us, clock_was_set_back=at_us < reserved_at_us)

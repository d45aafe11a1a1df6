"""Raw state as a store returns it, made into readings. Both stores use this one translation."""

from gateway.decision.bucket import BucketView
from gateway.decision.port import Reading
from gateway.decision.sliding import SlidingView


def reading(view: SlidingView | BucketView, now_us: int, *, charged_units: int) -> Reading:
    """`charged_units` is what the charge added after the view was taken; 0 if nothing was admitted."""
    return Reading(
        used=view.used + charged_units,
        fits=view.fits,
        charged=charged_units > 0,
        retry_after_us=None if view.fits_at_us is None else view.fits_at_us - now_us,
        full_after_us=max(0, view.empty_at_us - now_us),
    )


def slots_reading(taken: int, limit: int, *, charged_units: int) -> Reading:
    """In flight: nobody can foresee when another exchange ends."""
    fits = taken + 1 <= limit
    return Reading(
        used=taken + charged_units,
        fits=fits,
        charged=charged_units > 0,
        retry_after_us=0 if fits else None,
        full_after_us=0,
    )

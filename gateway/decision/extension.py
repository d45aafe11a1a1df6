"""How a reservation grows with a stream that outgrows it: one more charge for each step.

Whoever declares no ceiling reserves what his model is used to write, and some models write past a
ceiling. So what passes is counted, and before it is more than what is held, more is reserved.
"""

from collections.abc import Sequence
from dataclasses import replace

from gateway.decision.plan import Charge, Estimate
from gateway.decision.port import Reading, Reservation, SettledCharge
from gateway.decision.settlement import Settlement
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.quota import SECOND_US
from gateway.policy.spoken import spoken_limit
from gateway.policy.weights import ONE, Weights

STEP_TOKENS = 256
"""The least step, if no setting says otherwise."""

STEPS_PER_RESERVATION = 4
"""A step is this part of the reservation, if that is more: a long answer asks seldom."""


def held_tokens(charges: Sequence[Charge], estimate: Estimate) -> int | None:
    """For how many tokens of output all these charges suffice; None: none grows with an answer."""
    held = [
        max(0, charge.amount - weights.declared(estimate.input_tokens, 0)) * ONE // _each(weights)
        for charge in charges
        if (weights := _growing(charge)) is not None
    ]
    return min(held, default=None)


def step_tokens(held: int, least: int) -> int:
    return max(least, held // STEPS_PER_RESERVATION)


def further(charges: Sequence[Charge], tokens: int) -> tuple[Charge, ...]:
    """What to reserve for so many tokens more, against every limit that grows with an answer."""
    return tuple(
        replace(charge, amount=weights.most(0, tokens))
        for charge in charges
        if (weights := _growing(charge)) is not None
    )


def refused_extension(charges: Sequence[Charge], readings: Sequence[Reading]) -> Refusal:
    """The limit to wait longest for.

    A step that can never fit a small limit does not mean that the next request cannot: it waits
    until nothing is used.
    """
    waits = [
        (reading.full_after_us if reading.retry_after_us is None else reading.retry_after_us, i)
        for i, (charge, reading) in enumerate(zip(charges, readings, strict=True))
        if not reading.fits and not charge.shadow
    ]
    wait_us, at = max(waits)
    return Refusal(
        RefusalKind.RATE,
        f"Limit of {spoken_limit(charges[at].limit)} reached in the middle of the answer. "
        f"Retry in {-(-wait_us // SECOND_US):,} s, or declare a ceiling (max_tokens).",
        retry_after_us=wait_us,
    )


def spread(
    settled: Settlement, reservations: Sequence[Reservation]
) -> list[tuple[Reservation, tuple[SettledCharge, ...]]]:
    """One actual over a reservation and its extensions, in the order in which they were made.

    Each is filled before the next, and what is beyond all of them is the last one's.
    """
    together: dict[tuple[str, object], list[Charge]] = {}
    for reservation in reservations:
        for charge in reservation.charges:
            together.setdefault(_counter(charge), []).append(charge)
    left = {
        counter: settled.actual(replace(held[0], amount=sum(charge.amount for charge in held)))
        for counter, held in together.items()
    }
    parts = []
    for reservation in reservations:
        actuals = []
        for charge in reservation.charges:
            counter = _counter(charge)
            last = charge is together[counter][-1]
            actual = left[counter] if last else min(left[counter], charge.amount)
            left[counter] -= actual
            actuals.append(SettledCharge(charge, actual))
        parts.append((reservation, tuple(actuals)))
    return parts


def _counter(charge: Charge) -> tuple[str, object]:
    return charge.limit.meter, charge.partition.parts


def _growing(charge: Charge) -> Weights | None:
    """None too for a limit of reasoning alone: of what passes nobody knows how much that is."""
    weights = charge.of_tokens
    return weights if weights is not None and weights.output else None


def _each(weights: Weights) -> int:
    return max(weights.output, weights.reasoning)

from hypothesis import given
from hypothesis import strategies as st

from gateway.decision.extension import (
    further,
    held_tokens,
    refused_extension,
    spread,
    step_tokens,
)
from gateway.decision.plan import Charge, Estimate, Partition
from gateway.decision.port import Reading, Reservation
from gateway.decision.settlement import Basis, Settlement
from gateway.facts.refusal import RefusalKind
from gateway.facts.usage import Usage
from gateway.policy.quota import SECOND_US, Unit
from gateway.policy.weights import ONE, Weights
from tests.parts.values import charge, limit

TOKENS, OUTPUT = limit(10**6, Unit.TOKENS), limit(10**6, Unit.OUTPUT_TOKENS)
SLOTS, REASONING = limit(8, Unit.CONCURRENT), limit(10**6, Unit.REASONING_TOKENS)
ESTIMATE = Estimate(10, 100, declared=False)


def test_a_reservation_holds_what_its_scarcest_charge_holds() -> None:
    charges = (charge(TOKENS, 60), charge(OUTPUT, 100), charge(SLOTS))
    assert held_tokens(charges, ESTIMATE) == 50
    assert held_tokens((charge(SLOTS), charge(REASONING, 5)), ESTIMATE) is None
    assert held_tokens((charge(TOKENS, 3),), ESTIMATE) == 0


def test_money_holds_as_many_tokens_as_it_can_buy() -> None:
    price = Weights(ONE, ONE, ONE, 5 * ONE, 2 * ONE)
    dollars = Charge(limit(10**6, Unit.MICRO_USD), Partition(()), 110, price=price)
    assert held_tokens((dollars,), ESTIMATE) == 20
    assert [more.amount for more in further((dollars,), 7)] == [35]


def test_more_is_asked_of_all_that_grows_and_of_nothing_else() -> None:
    charges = (charge(TOKENS, 60), charge(limit(9)), charge(OUTPUT, 100), charge(SLOTS))
    assert [(c.limit.unit, c.amount) for c in further(charges, 30)] == [
        (Unit.TOKENS, 30),
        (Unit.OUTPUT_TOKENS, 30),
    ]


def test_a_step_is_a_quarter_and_never_less_than_the_least() -> None:
    assert (step_tokens(4_000, 256), step_tokens(100, 256)) == (1_000, 256)


def test_a_refused_step_says_when_to_come_back_even_if_it_never_fits() -> None:
    def reading(*, fits: bool, after_us: int | None) -> Reading:
        return Reading(
            9, fits, charged=False, retry_after_us=after_us, full_after_us=40 * SECOND_US
        )

    charges = (charge(TOKENS, 300), charge(OUTPUT, 300), charge(OUTPUT, 300, shadow=True))
    small = reading(fits=False, after_us=None)
    later = reading(fits=False, after_us=3 * SECOND_US)
    refusal = refused_extension(charges, (small, later, later))
    assert (refusal.kind, refusal.retry_after_us) == (RefusalKind.RATE, 40 * SECOND_US)
    assert "in the middle of the answer" in refusal.message
    refusal = refused_extension(charges, (reading(fits=True, after_us=0), later, small))
    assert refusal.retry_after_us == 3 * SECOND_US


@given(st.integers(0, 400), st.lists(st.integers(1, 90), max_size=4))
def test_the_parts_of_an_actual_add_up_to_it_and_only_the_last_is_overdrawn(
    output: int, steps: list[int]
) -> None:
    first = Reservation("r", 1, (charge(limit(9)), charge(OUTPUT, 100), charge(SLOTS)))
    more = [Reservation(f"r.{i}", 2, (charge(OUTPUT, step),)) for i, step in enumerate(steps)]
    settled = Settlement(Basis.REPORTED, 10, output, Usage(10, output))
    parts = spread(settled, (first, *more))
    assert [part for part, _ in parts] == [first, *more]
    actuals = [one for _, charges in parts for one in charges if one.charge.limit is OUTPUT]
    assert sum(one.actual for one in actuals) == output
    assert all(0 <= one.actual <= one.charge.amount for one in actuals[:-1])
    others = [one.actual for one in parts[0][1] if one.charge.limit is not OUTPUT]
    assert others == [1, 0]

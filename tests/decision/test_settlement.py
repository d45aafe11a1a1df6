"""What an exchange costs, however it ended: the table of settlements, row by row."""

import pytest

from gateway.decision.settlement import Basis, Delivered, settlement
from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.quota import Unit
from tests.parts.values import ESTIMATE, charge, limit


@pytest.mark.parametrize(
    ("case", "usage", "delivered", "basis", "tokens"),
    [
        ("reported in full", Usage(12, 34), Delivered(began=True), Basis.REPORTED, (12, 34)),
        (
            "reported beyond what passed",
            Usage(12, 340),
            Delivered(began=True, output_tokens=5),
            Basis.REPORTED,
            (12, 340),
        ),
        (
            "cut: only the input was reported",
            Usage(12),
            Delivered(began=True, output_tokens=7),
            Basis.DELIVERED,
            (12, 7),
        ),
        (
            "ended without usage: never below the input",
            UNREPORTED,
            Delivered(began=True, output_tokens=7),
            Basis.DELIVERED,
            (10, 7),
        ),
        (
            "client left before the first event",
            UNREPORTED,
            Delivered(began=True),
            Basis.DELIVERED,
            (10, 0),
        ),
        (
            "client left before anything was sent",
            UNREPORTED,
            Delivered(began=False),
            Basis.RELEASED,
            (0, 0),
        ),
        (
            "upstream answered with an error",
            UNREPORTED,
            Delivered(began=True, failed=True),
            Basis.RELEASED,
            (0, 0),
        ),
        (
            "upstream failed but charged",
            Usage(12, 0),
            Delivered(began=True, failed=True),
            Basis.REPORTED,
            (12, 0),
        ),
    ],
)
def test_each_ending_has_its_charge(
    case: str, usage: Usage, delivered: Delivered, basis: Basis, tokens: tuple[int, int]
) -> None:
    settled = settlement(ESTIMATE, usage, delivered)
    assert (settled.basis, (settled.input_tokens, settled.output_tokens)) == (basis, tokens), case


@pytest.mark.parametrize(
    ("unit", "actual"),
    [
        (Unit.REQUESTS, 1),
        (Unit.CONCURRENT, 0),
        (Unit.INPUT_TOKENS, 12),
        (Unit.OUTPUT_TOKENS, 34),
        (Unit.TOKENS, 46),
    ],
)
def test_the_actual_takes_the_place_of_each_unit(unit: Unit, actual: int) -> None:
    settled = settlement(ESTIMATE, Usage(12, 34), Delivered(began=True))
    reserved = charge(limit(1000, unit), 1 if unit in (Unit.REQUESTS, Unit.CONCURRENT) else 110)
    assert settled.actual(reserved) == actual


def test_a_request_stays_counted_even_if_the_model_never_began() -> None:
    released = settlement(ESTIMATE, UNREPORTED, Delivered(began=False))
    assert released.actual(charge(limit(5))) == 1


def test_only_what_was_reported_is_no_estimate() -> None:
    assert not settlement(ESTIMATE, Usage(1, 2), Delivered(began=True)).estimated
    assert settlement(ESTIMATE, Usage(1), Delivered(began=True)).estimated

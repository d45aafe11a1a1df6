"""What an exchange costs, however it ended: the table of settlements, row by row."""

from dataclasses import replace

import pytest

from gateway.decision.plan import Estimate
from gateway.decision.settlement import Basis, Delivered, settlement
from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.quota import OnAbort, Unit
from gateway.policy.weights import Weights
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
        (Unit.REASONING_TOKENS, 20),
        (Unit.CACHED_TOKENS, 8),
    ],
)
def test_the_actual_takes_the_place_of_each_unit(unit: Unit, actual: int) -> None:
    usage = Usage(12, 34, cached_tokens=8, cache_write_tokens=2, reasoning_tokens=20)
    settled = settlement(ESTIMATE, usage, Delivered(began=True))
    reserved = charge(limit(1000, unit), 1 if unit in (Unit.REQUESTS, Unit.CONCURRENT) else 110)
    assert settled.actual(reserved) == actual


PRICE = Weights(3_000_000, 300_000, 3_750_000, 15_000_000, 20_000_000)


@pytest.mark.parametrize(
    ("usage", "micro_usd"),
    [
        (Usage(1000, 100), 3_000 + 1_500),
        (Usage(1000, 100, cached_tokens=900), 300 + 270 + 1_500),
        (Usage(1000, 100, cached_tokens=900, cache_write_tokens=100), 270 + 375 + 1_500),
        (Usage(1000, 100, reasoning_tokens=60), 3_000 + 600 + 1_200),
        (Usage(1000, 0), 3_000),
        (Usage(1, 0, cached_tokens=1), 1),
        (Usage(0, 0), 0),
    ],
)
def test_money_is_settled_at_the_price_of_each_kind_of_token(usage: Usage, micro_usd: int) -> None:
    reserved = replace(charge(limit(40_000_000, Unit.MICRO_USD), 9_999), price=PRICE)
    settled = settlement(ESTIMATE, usage, Delivered(began=True))
    assert settled.actual(reserved) == micro_usd


def test_weighted_tokens_are_settled_by_their_weights() -> None:
    weights = Weights(1_000_000, 100_000, 1_250_000, 4_000_000, 4_000_000)
    reserved = charge(replace(limit(1000, Unit.TOKENS), weights=weights), 513)
    settled = settlement(ESTIMATE, Usage(100, 10, cached_tokens=95), Delivered(began=True))
    assert settled.actual(reserved) == 55  # 5 + 9.5 + 40, rounded up


def test_what_passed_unreported_is_plain_input_and_output() -> None:
    settled = settlement(ESTIMATE, UNREPORTED, Delivered(began=True, output_tokens=7))
    reserved = replace(charge(limit(40_000_000, Unit.MICRO_USD), 9_999), price=PRICE)
    assert settled.actual(reserved) == 10 * 3 + 7 * 15


def test_what_never_began_costs_nothing_in_any_unit() -> None:
    released = settlement(ESTIMATE, UNREPORTED, Delivered(began=False))
    reserved = replace(charge(limit(40_000_000, Unit.MICRO_USD), 9_999), price=PRICE)
    assert released.actual(reserved) == 0


def test_a_request_stays_counted_even_if_the_model_never_began() -> None:
    released = settlement(ESTIMATE, UNREPORTED, Delivered(began=False))
    assert released.actual(charge(limit(5))) == 1


def test_only_what_was_reported_is_no_estimate() -> None:
    assert not settlement(ESTIMATE, Usage(1, 2), Delivered(began=True)).estimated
    assert settlement(ESTIMATE, Usage(1), Delivered(began=True)).estimated


@pytest.mark.parametrize(
    ("usage", "output_tokens", "settled_at"),
    [
        (Usage(10_000_000, 10_000_000), 1, (10_000_000, 10_000_000)),
        (Usage(10_000_001, 7), 1, (10, 7)),
        (Usage(12, 2**40, reasoning_tokens=2**39), 1, (12, 1)),
        (Usage(12, 16_000_000), 1_000_000, (12, 16_000_000)),
        (Usage(12, 16_000_001), 1_000_000, (12, 1_000_000)),
        (Usage(12, 0), 15, (12, 0)),
        (Usage(12, 0), 16, (12, 16)),
    ],
)
def test_a_count_that_cannot_be_that_of_this_exchange_is_passed_over_and_told(
    usage: Usage, output_tokens: int, settled_at: tuple[int, int]
) -> None:
    settled = settlement(ESTIMATE, usage, Delivered(began=True, output_tokens=output_tokens))
    believed = settled_at == (usage.input_tokens, usage.output_tokens)
    assert (settled.input_tokens, settled.output_tokens) == settled_at
    assert settled.usage.absurd is not believed
    assert settled.estimated is not believed


@pytest.mark.parametrize("read", [64_000_000, 64_000_001])
@pytest.mark.parametrize("written", [12_000_000, 12_000_001])
def test_what_was_asked_for_bounds_what_is_believed(read: int, written: int) -> None:
    asked = Estimate(1_000_000, 3_000_000, declared=True)
    settled = settlement(asked, Usage(read, written), Delivered(began=True, output_tokens=5))
    assert settled.input_tokens == (read if read == 64_000_000 else 1_000_000)
    assert settled.output_tokens == (written if written == 12_000_000 else 5)


def test_a_prompt_that_is_echoed_is_no_output() -> None:
    delivered = Delivered(began=True, output_tokens=900)
    settled = settlement(Estimate(900, 0, declared=True), Usage(900, 0), delivered)
    assert (settled.output_tokens, settled.basis) == (0, Basis.REPORTED)


KEEPS = replace(limit(500, Unit.TOKENS), on_abort=OnAbort.RESERVATION)
LETS_GO = limit(500, Unit.TOKENS)


@pytest.mark.parametrize(
    ("usage", "aborted", "kept", "let_go"),
    [
        (UNREPORTED, True, 110, 17),
        (UNREPORTED, False, 17, 17),
        (Usage(12), True, 110, 19),
        (Usage(12, 3), True, 15, 15),
    ],
)
def test_what_was_called_off_is_charged_as_its_quota_says(
    usage: Usage, *, aborted: bool, kept: int, let_go: int
) -> None:
    settled = settlement(ESTIMATE, usage, Delivered(began=True, output_tokens=7, aborted=aborted))
    assert settled.actual(charge(KEEPS, 110)) == kept
    assert settled.actual(charge(LETS_GO, 110)) == let_go


def test_what_was_kept_is_never_less_than_what_was_delivered() -> None:
    delivered = Delivered(began=True, output_tokens=700, aborted=True)
    assert settlement(ESTIMATE, UNREPORTED, delivered).actual(charge(KEEPS, 110)) == 710


def test_what_never_began_is_released_whatever_the_quota_says() -> None:
    released = settlement(ESTIMATE, UNREPORTED, Delivered(began=False, aborted=True))
    assert released.actual(charge(KEEPS, 110)) == 0

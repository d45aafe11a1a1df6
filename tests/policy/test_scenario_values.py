from fractions import Fraction

import pytest

from gateway.policy.scenario_values import Part


@pytest.mark.parametrize(
    ("part", "of", "shown"),
    [
        (Part(60), 60, "60"),
        (Part(1_234), 1_234, "1,234"),
        (Part(share=Fraction(1, 20)), 10, "5%"),
        (Part(share=Fraction(0)), 0, "0%"),
        (Part(share=Fraction(1, 400)), Fraction(1, 2), "0.25%"),
    ],
)
def test_a_part_is_a_number_or_a_share_of_what_was_sent(
    part: Part, of: int | Fraction, shown: str
) -> None:
    assert part.of(200) == of
    assert str(part) == shown

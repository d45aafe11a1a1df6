import pytest

from gateway.policy.behaviour import Function, Measure, Over, WindowUnit
from gateway.policy.behaviour_expression import measure_condition
from gateway.policy.measure_ranges import can_be, ranges

OVER = Over(WindowUnit.TIME, 1)
MEASURES = (
    Measure("n", Function.ACCOUNTS, OVER),
    Measure("share", Function.SHARE, OVER, "x"),
    Measure("mean", Function.MEAN, OVER, "x"),
)


def holds(text: str) -> tuple[bool, bool]:
    """Whether it can hold, and whether it can fail to."""
    root = measure_condition(text, [one.name for one in MEASURES]).root
    known = ranges(MEASURES)
    return can_be(root, known, holds=True), can_be(root, known, holds=False)


NEVER, ALWAYS, EITHER = (False, True), (True, False), (True, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("share > 1", NEVER),
        ("share >= 1", EITHER),
        ("1 < share", NEVER),
        ("share <= 1", ALWAYS),
        ("share == 1.5", NEVER),
        ("share != 1.5", ALWAYS),
        ("share != 0.5", EITHER),
        ("n < 0", NEVER),
        ("n >= 0", ALWAYS),
        ("mean > 1e9 || mean < -1e9", EITHER),
        ("n > 5 && n < 5", NEVER),
        ("n >= 5 && n <= 5", EITHER),
        ("!(n > 5) && n > 5", NEVER),
        ("!(n > 5 || share > 0.5) && share > 0.7", NEVER),
        ("(n > 5 || n > 7) && n < 4", NEVER),
        ("(n > 5 || share > 1) && n < 6", EITHER),
        ("n > 5 || n <= 5", ALWAYS),
        ("share > 1 ? n > 5 : n > 6", EITHER),
        ("share > mean", EITHER),
        ("share * 2 > 5", EITHER),
        ("n in [1, 2]", EITHER),
    ],
)
def test_what_cannot_be_is_known(text: str, found: tuple[bool, bool]) -> None:
    assert holds(text) == found

import pytest

from gateway.scenarios.wording import counted, offset, span

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("seconds", "spoken", "clock"),
    [
        (1, "1 second", "00:00:01"),
        (90, "90 seconds", "00:01:30"),
        (120, "2 minutes", "00:02:00"),
        (3_600, "1 hour", "01:00:00"),
        (90_000, "25 hours", "1d 01:00:00"),
        (2 * 86_400, "2 days", "2d 00:00:00"),
    ],
)
def test_a_time_is_told_in_its_largest_whole_unit_and_as_a_clock(
    seconds: int, spoken: str, clock: str
) -> None:
    assert span(seconds * SECOND) == spoken
    assert offset(seconds * SECOND) == clock


def test_one_is_one() -> None:
    assert [counted(1, "request"), counted(1_234, "request")] == ["1 request", "1,234 requests"]

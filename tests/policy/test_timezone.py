import pytest

from gateway.policy.rate import NotUnderstood
from gateway.policy.timezone import UTC, known_timezone


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", UTC])
def test_a_timezone_goes_by_its_iana_name(name: str) -> None:
    assert known_timezone(name) == name


@pytest.mark.parametrize(
    ("written", "guess"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Tokyo", "Asia/Tokyo"),
        ("utc", "UTC"),
    ],
)
def test_what_is_none_is_refused_with_the_nearest(written: str, guess: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        known_timezone(written)
    assert f'Did you mean "{guess}"?' in str(refused.value)


@pytest.mark.parametrize(
    "written", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "+2"]
)
def test_no_file_is_opened_by_a_name_that_is_none(written: str) -> None:
    with pytest.raises(NotUnderstood, match="is not a timezone"):
        known_timezone(written)

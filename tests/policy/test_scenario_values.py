from fractions import Fraction

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.policy.scenario_values import Part, Session, SessionText


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


@pytest.mark.parametrize(
    ("text", "session"),
    [
        ("one per account", Session()),
        ("one per 50 requests", Session(requests=50)),
        ("one per request", Session(requests=1)),
        ("night-run", Session(name="night-run")),
        (7, Session(name="7")),
    ],
)
def test_sessions_are_read(text: object, session: Session) -> None:
    assert TypeAdapter(SessionText).validate_python(text) == session


@pytest.mark.parametrize(
    "text", ["one per 0 requests", "one per 5 accounts", " ", "x" * 65, "\u00e9"]
)
def test_what_is_no_session_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SessionText).validate_python(text)

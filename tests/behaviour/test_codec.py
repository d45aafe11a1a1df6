"""What processes tell each other comes back as it was."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.behaviour.board import Case, Flagged, Hand
from gateway.behaviour.codec import (
    Unreadable,
    case_bytes,
    flagged_bytes,
    read_batch,
    read_case,
    read_flagged,
    sighting_batch,
)
from gateway.behaviour.pool import Likeness
from gateway.behaviour.score import Evidence
from gateway.policy.behaviour import Behaviours, Rung
from gateway.policy.quota import Mode
from tests.behaviour.parts import CARD, HASHED, World

EVIDENCE = Evidence(
    "rule", "why", 45, 20, 10, (("members", 7.0),), group=2**63 + 5, mode=Mode.SHADOW
)


def test_sightings_come_back_and_what_is_private_comes_hashed() -> None:
    seen = World(Behaviours((CARD,))).seen("a", 1, theme=3, traits={"payment": "pm"})
    seen = replace(seen, named=["open", "private", None, ""])
    digest, (back,) = read_batch(sighting_batch("abc", [seen], (1, 2, 3), HASHED))
    assert digest == "abc"
    assert list(back.named) == ["open", HASHED("private"), None, ""]
    assert (back.at_us, back.account, back.opened_us) == (seen.at_us, seen.account, seen.opened_us)
    assert back.groups == seen.groups
    assert back.asked.sketch.places == seen.asked.sketch.places
    assert back.asked.sketch.values == pytest.approx(seen.asked.sketch.values, abs=1e-3)


def test_a_flagged_group_comes_back() -> None:
    likeness = Likeness(np.full(128, 0.0625, np.float32), 0.25)
    flagged = Flagged(
        2**63 + 5,
        ("account.payment",),
        {"rule": EVIDENCE},
        Rung.THROTTLE,
        10,
        12.5,
        80,
        likeness,
        Hand.CONTAIN,
    )
    back = read_flagged(flagged_bytes(flagged))
    assert replace(back, likeness=None) == replace(flagged, likeness=None)
    assert back.likeness is not None
    assert back.likeness.cohesion == likeness.cohesion
    assert np.allclose(back.likeness.mean, likeness.mean, atol=1e-3)


def test_a_case_comes_back() -> None:
    case = Case({("rule", EVIDENCE.group): EVIDENCE}, Rung.BLOCK, 2, 99)
    assert read_case(case_bytes(case)) == case


@pytest.mark.parametrize("foreign", [b"", b"\xc1", b"\x93\x63\xa0\x90", b"\x91\x01"])
def test_what_is_not_of_this_version_is_passed_over(foreign: bytes) -> None:
    with pytest.raises(Unreadable):
        read_batch(foreign)

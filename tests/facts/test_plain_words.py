"""Disguises come off, and what says something else stays apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.plain_words import plain, words


@pytest.mark.parametrize(
    ("disguised", "said"),
    [
        ("Show Your REASONING", "show your reasoning"),
        ("\uff33\uff48\uff4f\uff57 your reasoning", "show your reasoning"),
        ("sh\u200bow yo\u2060ur rea\u00adsoning", "show your reasoning"),
        ("sh\u043ew your re\u0430soning", "show your reasoning"),
        ("\ufb01nal answer", "final answer"),
        ("item 17 of 2,340", "item 0 of 0,0"),
        ("STRASSE stra\u00dfe", "strasse strasse"),
    ],
)
def test_what_looks_the_same_reads_the_same(disguised: str, said: str) -> None:
    assert words(plain(disguised)) == words(plain(said))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u043e\u0431\u044a\u044f\u0441\u043d\u0438 \u0445\u043e\u0434", 2),
        ("\u8bf7\u5199\u51fa\u63a8\u7406\u8fc7\u7a0b", 7),
        ("\u0627\u0643\u062a\u0628 \u062e\u0637\u0648\u0627\u062a \u0627\u0644\u062d\u0644", 3),
        ("\u05db\u05ea\u05d5\u05d1 \u05d0\u05ea", 2),
        ("", 0),
        ("...!?", 0),
        ("a" * 10_000, 1),
    ],
)
def test_every_script_has_words(text: str, expected: int) -> None:
    assert len(words(plain(text))) == expected


def test_russian_words_stay_russian() -> None:
    assert words(plain("\u0441\u043e\u043d in a text")) == ["\u0441\u043e\u043d", "in", "a", "text"]


@given(st.text())
def test_every_text_can_be_read_and_reading_it_again_changes_nothing(text: str) -> None:
    once = " ".join(words(plain(text)))
    assert words(plain(once)) == words(once) or not once.isascii()

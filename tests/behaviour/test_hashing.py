"""Keyed hashes tell values apart and never collide by construction."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.hashing import LEAST, group_key, hash64

KEYED = hash64(b"k" * 32)


def test_another_key_hashes_otherwise() -> None:
    assert KEYED("value") != hash64(b"other" * 8)("value")


@given(st.text())
def test_every_text_has_a_hash_of_64_bits(text: str) -> None:
    assert LEAST <= KEYED(text) < 2**64


@given(st.lists(st.text(), min_size=2, max_size=2), st.lists(st.text(), min_size=2, max_size=2))
def test_no_values_imitate_others(one: list[str], other: list[str]) -> None:
    names = ("account.network", "client.sdk")
    same = group_key(KEYED, names, tuple(one)) == group_key(KEYED, names, tuple(other))
    assert same == (one == other)

"""A bounded sample stands for all accounts of a group."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.members import KEPT, Member, Members, evenness, independent, top_share


def hashes(count: int, seed: int = 1) -> list[int]:
    random = Random(seed)
    return [random.getrandbits(64) for _ in range(count)]


@given(st.lists(st.integers(2, 2**64 - 1), max_size=KEPT, unique=True))
def test_up_to_its_bound_the_sample_is_everybody(accounts: list[int]) -> None:
    members = Members()
    for account in accounts:
        assert members.see(account, 1, 0, ())
    assert members.number(len(members)) == len(accounts)


@pytest.mark.parametrize("accounts", [500, 5_000])
def test_beyond_its_bound_the_number_is_estimated(accounts: int) -> None:
    members = Members()
    for account in hashes(accounts):
        members.see(account, 1, 0, ())
    assert len(members) == KEPT
    assert members.number(len(members)) == pytest.approx(accounts, rel=0.35)


def test_a_share_of_the_sample_is_the_share_of_all() -> None:
    members = Members()
    for number, account in enumerate(hashes(4_000)):
        members.see(account, 1, number % 4 == 0, ())
    flagged = sum(member.flags for member in members.since(0))
    assert flagged / len(members) == pytest.approx(0.25, abs=0.15)


def test_who_comes_again_is_not_new_and_its_latest_flags_count() -> None:
    members = Members()
    assert members.see(7, 1, 0b1, (5,))
    assert not members.see(7, 2, 0b10, (6,))
    assert members.kept[7] == Member(1, 2, 2, 0b10, (6,))


def test_who_came_no_more_is_forgotten() -> None:
    members = Members()
    members.see(7, 1, 0, ())
    members.see(8, 9, 0, ())
    members.forget_before(5)
    assert list(members) == [8]


def member(requests: int = 1, column: int = 0) -> Member:
    return Member(0, 0, requests, 0, (column,))


def test_an_owner_of_many_accounts_counts_for_three() -> None:
    assert independent([member(column=4) for _ in range(20)], 0, 3) == 3
    assert independent([member(column=at + 1) for at in range(20)], 0, 3) == 20


def test_accounts_without_the_fact_are_their_own_owners() -> None:
    assert independent([member() for _ in range(20)], 0, 3) == 20


def test_the_top_share_is_that_of_the_most_common_value() -> None:
    assert top_share([member(column=4)] * 3 + [member(column=5)], 0) == 0.75
    assert top_share([member()] * 4, 0) == 0
    assert top_share([], 0) == 0


def test_a_dispatcher_is_even_and_people_are_not() -> None:
    assert evenness([member(requests=25 + at % 3) for at in range(20)]) == 1.0
    assert evenness([member(requests=max(1, 400 // (at + 1))) for at in range(20)]) < 0.5
    assert evenness([member(requests=25)]) == 0

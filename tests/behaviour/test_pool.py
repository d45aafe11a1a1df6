"""The sums tell what all pairs would."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.behaviour.pool import (
    POOL_PROMPTS,
    PRIOR_PAIRS,
    USUAL,
    Cohort,
    Pool,
    Questions,
    Vector,
    likeness,
)
from gateway.facts.fingerprint import DIMENSIONS


def unit(seed: int) -> Vector:
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def pooled(prompts: list[Vector]) -> Pool:
    pool = Pool()
    for prompt in prompts:
        pool.add(prompt, pool.gain(prompt))
    return pool


ACCOUNTS = st.lists(
    st.lists(st.integers(0, 30), min_size=1, max_size=6), min_size=2, max_size=6
).map(lambda accounts: [[unit(seed) for seed in seeds] for seeds in accounts])


def mean_cosine(pairs: list[tuple[Vector, Vector]], prior: float) -> float:
    total = sum(float(a.dot(b)) for a, b in pairs) * 2  # each pair counts in both orders
    return (total + PRIOR_PAIRS * prior) / (len(pairs) * 2 + PRIOR_PAIRS)


@given(ACCOUNTS)
def test_across_and_inside_are_the_mean_cosines_of_all_pairs(accounts: list[list[Vector]]) -> None:
    cohort = Cohort()
    for prompts in accounts:
        cohort.join(pooled(prompts))
    across = [pair for a, b in combinations(accounts, 2) for pair in product(a, b)]
    inside = [pair for prompts in accounts for pair in combinations(prompts, 2)]
    assert cohort.across() == pytest.approx(mean_cosine(across, USUAL.across), abs=1e-4)
    assert cohort.inside() == pytest.approx(mean_cosine(inside, USUAL.within), abs=1e-4)


@given(ACCOUNTS)
def test_prompts_that_come_one_by_one_count_as_if_the_pool_had_joined_with_them(
    accounts: list[list[Vector]],
) -> None:
    grown, whole = Cohort(), Cohort()
    for prompts in accounts:
        pool = pooled(prompts[:1])
        grown.join(pool)
        for prompt in prompts[1:]:
            gain = pool.gain(prompt)
            grown.add(prompt, pool, gain)
            pool.add(prompt, gain)
        whole.join(pooled(prompts))
    assert grown.prompts == whole.prompts
    assert grown.squares == whole.squares
    assert grown.within == pytest.approx(whole.within, abs=1e-3)
    assert grown.across() == pytest.approx(whole.across(), abs=1e-4)


@given(ACCOUNTS)
def test_who_leaves_leaves_nothing_behind(accounts: list[list[Vector]]) -> None:
    cohort = Cohort()
    pools = [pooled(prompts) for prompts in accounts]
    for pool in pools:
        cohort.join(pool)
    for pool in pools:
        cohort.leave(pool)
    assert (cohort.pools, cohort.prompts, cohort.squares) == (0, 0, 0)
    assert float(np.abs(cohort.vector).max()) < 1e-4
    assert cohort.within == pytest.approx(0, abs=1e-3)


def themed(theme: int, prompts: int, seed: int) -> list[Vector]:
    """Prompts on one topic: a common direction and something of their own."""
    drawn = []
    for number in range(prompts):
        mixed = unit(theme) + unit(10_000 + seed * 100 + number)
        drawn.append(mixed / np.float32(np.linalg.norm(mixed)))
    return drawn


def test_members_that_draw_from_one_pool_are_exchangeable_and_topics_of_their_own_are_not() -> None:
    one_pool, own_topics = Cohort(), Cohort()
    for account in range(20):
        one_pool.join(pooled(themed(1, 5, account)))
        own_topics.join(pooled(themed(account, 5, account)))
    assert one_pool.exchangeability() > 0.9
    assert own_topics.exchangeability() < 0.2


def test_an_account_like_the_others_is_told_from_a_stranger_in_the_group() -> None:
    cohort = Cohort()
    members = [pooled(themed(1, 5, account)) for account in range(20)]
    stranger = pooled(themed(2, 5, 99))
    for pool in [*members, stranger]:
        cohort.join(pool)
    assert cohort.alike(members[0], member=True) > 0.6
    assert cohort.alike(stranger, member=True) < 0.3
    assert cohort.alike(pooled(themed(1, 4, 55)), member=False) > 0.6


def test_a_successor_is_known_by_what_it_asks() -> None:
    fleet, successor, other = Cohort(), Questions(), Questions()
    for account in range(10):
        fleet.join(pooled(themed(1, 5, account)))
        for question in themed(1, 2, 50 + account):
            successor.add(question)
        for question in themed(7, 2, 80 + account):
            other.add(question)
    known = likeness(fleet)
    assert known is not None
    assert known.kinship(successor) > 0.7
    assert known.kinship(other) < 0.3


def test_of_an_empty_cohort_nothing_is_remembered() -> None:
    assert likeness(Cohort()) is None


def test_a_pool_is_full_after_so_many_prompts() -> None:
    assert not pooled([unit(1)] * (POOL_PROMPTS - 1)).full
    assert pooled([unit(1)] * POOL_PROMPTS).full

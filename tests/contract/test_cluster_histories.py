"""In a cluster, too, a refused reservation leaves every counter as it was, whichever slot refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision.plan import Charge, Partition
from gateway.store.memory import MemoryStore
from gateway.store.redis import ClusterStore
from tests.contract.conftest import TIMEOUT_SECONDS
from tests.contract.test_histories import RELAXED, START_US, STEADY, History, Reserve, Step
from tests.parts.clock import Clock
from tests.parts.redis_nodes import Group
from tests.parts.reference import Reference

ELSEWHERE = {
    "paced": ("account.organization", "acme"),
    "slots": ("account.organization", "acme"),
    "by-minute": ("network", "192.0.2.0/24"),
    "bucket": ("network", "192.0.2.0/24"),
    "deep": ("payment", "card_1"),
    "trial": ("payment", "card_1"),
}
"""Counted by what several accounts share; the rest by the account."""


class InSeveralSlots(History):
    def charge(self, step: Reserve, i: int) -> Charge:
        planned = super().charge(step, i)
        part = ELSEWHERE.get(planned.limit.quota_id)
        return replace(planned, partition=Partition((part,))) if part else planned


async def run(group: Group, steps: list[Step]) -> None:
    clock = Clock(START_US)
    other = ClusterStore(
        group.url,
        clock=clock,
        prefix=group.server().fresh_prefix(),
        timeout_seconds=TIMEOUT_SECONDS,
    )
    history = InSeveralSlots(MemoryStore(clock), other, clock, Reference(epoch_us=START_US))
    try:
        for step in steps:
            await history.do(step)
        assert await other.open_reservations() == await history.memory.open_reservations()
    finally:
        await other.aclose()


@settings(RELAXED, max_examples=60)
@given(steps=st.lists(STEADY, min_size=40, max_size=80))
async def test_a_cluster_answers_as_one_step_in_memory_would(
    three_nodes: Callable[[], Group], steps: list[Step]
) -> None:
    """Every reading of every charge, refused or not, is that of a store that never charged it."""
    await run(three_nodes(), steps)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(RELAXED, max_examples=500)
@given(steps=st.lists(STEADY, min_size=100, max_size=200))
async def test_over_long_histories_too(three_nodes: Callable[[], Group], steps: list[Step]) -> None:
    await run(three_nodes(), steps)

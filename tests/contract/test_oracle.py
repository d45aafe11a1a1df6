"""`limits` as an oracle, where the semantics agree: requests of cost 1 in a moving window.

Its moving window counts to the microsecond and ours to the slice, so ours may refuse what it would
admit, for at most 1/64 of the window; where all requests come on a grid wider than that, both must
say the same.
"""

import time
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gateway.policy.quota import SECOND_US
from tests.contract.conftest import Make
from tests.parts.clock import Clock
from tests.parts.values import MINUTE_US, charge, limit

EPOCH_US = 1_000_000 * SECOND_US  # early, so that a float of seconds tells microseconds apart
GRID_US = 8 * SECOND_US  # no multiple is a minute, where the oracle depends on a thread of its own

RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(EPOCH_US)
    seconds = SimpleNamespace(time=lambda: clock.now_us / SECOND_US, sleep=time.sleep)
    monkeypatch.setattr("limits.storage.memory.time", seconds)
    return clock


@settings(RELAXED)
@given(st.integers(1, 8), st.lists(st.integers(0, 3), min_size=20, max_size=60))
async def test_on_a_grid_both_admit_the_same(
    make: Make, clock: Clock, amount: int, steps: list[int]
) -> None:
    clock.now_us = EPOCH_US
    store, oracle = make(clock), MovingWindowRateLimiter(MemoryStorage())
    for i, step in enumerate(steps):
        clock.now_us += step * GRID_US
        ours = await store.reserve(f"r{i}", (charge(limit(amount)),))
        assert ours.admitted == oracle.hit(RateLimitItemPerMinute(amount), "acct_1")


@settings(RELAXED)
@given(
    st.integers(1, 8),
    st.lists(
        st.one_of(st.integers(1, MINUTE_US // 4), st.just(MINUTE_US // 64)),
        min_size=20,
        max_size=60,
    ),
)
async def test_at_any_moment_ours_admits_nothing_that_the_oracle_would_refuse(
    make: Make, clock: Clock, amount: int, waits_us: list[int]
) -> None:
    clock.now_us = EPOCH_US
    store, oracle = make(clock), MovingWindowRateLimiter(MemoryStorage())
    for i, wait_us in enumerate(waits_us):
        clock.now_us += wait_us
        ours = await store.reserve(f"r{i}", (charge(limit(amount)),))
        if ours.admitted:
            assert oracle.hit(RateLimitItemPerMinute(amount), "acct_1")

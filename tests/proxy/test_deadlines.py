import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from gateway.proxy.deadlines import Deadline


class Timer:
    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        self.at = at
        self.ring = ring
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """What a deadline asks of a loop, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, ring: Callable[[], None]) -> Timer:
        self.timers.append(Timer(at, ring))
        return self.timers[-1]

    def move_to(self, now: float) -> None:
        while due := [t for t in self.timers if not t.cancelled and t.at <= now]:
            timer = min(due, key=lambda t: t.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.ring()
        self.now = now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def passed() -> list[float]:
    return []


@pytest.fixture
def deadline(clock: Clock, passed: list[float]) -> Deadline:
    return Deadline(cast("asyncio.AbstractEventLoop", clock), lambda: passed.append(clock.now))


def test_it_passes_once_and_on_time(clock: Clock, deadline: Deadline, passed: list[float]) -> None:
    deadline.set(10)
    clock.move_to(109)
    assert passed == []
    clock.move_to(200)
    assert passed == [110]


def test_a_later_one_replaces_it(clock: Clock, deadline: Deadline, passed: list[float]) -> None:
    deadline.set(10)
    clock.move_to(105)
    deadline.set(10)
    clock.move_to(200)
    assert passed == [115]


def test_a_sooner_one_replaces_it(clock: Clock, deadline: Deadline, passed: list[float]) -> None:
    deadline.set(75)
    clock.move_to(101)
    deadline.set(10)
    clock.move_to(300)
    assert passed == [111]


def test_one_that_is_cleared_does_not_pass(
    clock: Clock, deadline: Deadline, passed: list[float]
) -> None:
    deadline.set(10)
    deadline.clear()
    clock.move_to(200)
    assert passed == []
    deadline.set(5)
    clock.move_to(300)
    assert passed == [205]


def test_requests_that_end_in_time_start_no_timers(clock: Clock, deadline: Deadline) -> None:
    deadline.set(75)
    for request in range(1000):
        clock.move_to(100 + request / 1000)
        deadline.clear()
        deadline.set(75)
    assert len(clock.timers) == 1


def test_after_its_stop_nothing_is_left(
    clock: Clock, deadline: Deadline, passed: list[float]
) -> None:
    deadline.set(10)
    deadline.stop()
    assert all(timer.cancelled for timer in clock.timers)
    clock.move_to(200)
    assert passed == []


def test_it_can_be_set_again_when_it_passes(clock: Clock) -> None:
    passed: list[float] = []

    def again() -> None:
        passed.append(clock.now)
        if len(passed) < 3:
            repeating.set(10)

    repeating = Deadline(cast("asyncio.AbstractEventLoop", clock), again)
    repeating.set(10)
    clock.move_to(1000)
    assert passed == [110, 120, 130]

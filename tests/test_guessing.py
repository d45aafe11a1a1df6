import time

import pytest

from gateway.guessing import SECOND_US, Guesses


class WallClock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = time.time()
        monkeypatch.setattr(time, "time", lambda: self.now_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    return WallClock(monkeypatch)


def test_failures_within_the_budget_are_answered_as_such(clock: WallClock) -> None:
    guesses = Guesses(3)
    assert [guesses.failed("192.0.2.1") for _ in range(3)] == [None, None, None]
    clock.now_s += 0.5
    assert guesses.failed("192.0.2.1") == 60 * SECOND_US


def test_waiting_as_long_as_told_is_enough_and_no_shorter_is(clock: WallClock) -> None:
    guesses = Guesses(2)
    guesses.failed("192.0.2.1")
    clock.now_s += 20
    guesses.failed("192.0.2.1")
    wait_us = guesses.failed("192.0.2.1")
    assert wait_us == 40 * SECOND_US
    clock.now_s += 39
    assert guesses.failed("192.0.2.1") is not None
    clock.now_s += 1.001
    assert guesses.failed("192.0.2.1") is None
    assert guesses.failed("192.0.2.1") is not None


@pytest.mark.usefixtures("clock")
def test_addresses_do_not_share_a_budget_but_those_of_one_host_do() -> None:
    guesses = Guesses(1)
    assert guesses.failed("192.0.2.1") is None
    assert guesses.failed("192.0.2.2") is None
    assert guesses.failed("2001:db8:1:2::1") is None
    assert guesses.failed("2001:db8:1:2:ffff::9") is not None
    assert guesses.failed("2001:db8:1:3::1") is None
    assert guesses.failed(None) is None
    assert guesses.failed(None) is not None


@pytest.mark.usefixtures("clock")
def test_only_the_addresses_that_failed_last_are_remembered() -> None:
    guesses = Guesses(1, most_addresses=2)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        guesses.failed(address)
    assert len(guesses._by_network) == 2
    assert guesses.failed("192.0.2.1") is not None
    assert guesses.failed("192.0.2.2") is None

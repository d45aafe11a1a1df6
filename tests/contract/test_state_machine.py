"""Everything that can happen to counters, in any order, to two replicas on a real server, beside a
store in memory and a log of truth.

The invariants of the threat model, and where they are checked here:

I1 no window holds more than its limit, I13 nor after the limit was changed: the log of truth, at
each reservation. I2 nothing is open when all has ended, and nothing is negative. I3 what is settled
twice counts once. I4 a refusal changes no byte. I5 what nobody renews lapses. I6 every key has a
life. I8 the clock leaps by an hour, and one replica believes in another hour. I9 whoever waits as
told is admitted. I10 a limit more never admits more. I11 an account's keys share a slot. I12 the
server loses its scripts. (I7 and I14 are about streams: `tests/endings/test_cancel_loops.py`.)
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from gateway.decision.hand import ACCOUNT, UNTOUCHED, Ban, Grant, Hand
from gateway.decision.port import RECORD_US, Reservation, SettledCharge
from gateway.policy.quota import SECOND_US
from gateway.store.memory import MemoryStore
from gateway.store.memory import counters as in_memory
from gateway.store.redis import RedisStore
from tests.contract import test_histories as histories
from tests.contract.test_histories import LIMITS, WINDOW_US, actual_use
from tests.parts.clock import START_US, Clock
from tests.parts.redis_servers import RedisServer
from tests.parts.reference import Reference, changed

HOUR_US = 3_600 * SECOND_US
ACCOUNTS = st.sampled_from(["anna", "anna", "bert"])
WHICH = st.frozensets(st.integers(0, len(LIMITS) - 1), min_size=1)
REPLICAS = st.integers(0, 1)
ONE_OF_MANY = st.integers(0, 9)

T = TypeVar("T")


class Counters(RuleBasedStateMachine):
    """Each step is taken by both stores, which must say the same to the bit."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__()
        self.server = server
        self.prefix = server.fresh_prefix()
        self.clock = Clock()
        self.memory = MemoryStore(self.clock)
        self.replicas = [self._replica(0), self._replica(HOUR_US)]
        self.truth = Reference(epoch_us=START_US)
        self.history = histories.History(
            self.memory, self.replicas[0], self.clock, truth=self.truth
        )
        self.limits = self.history.limits
        self.hands: dict[str, Hand] = {}
        self.open: list[Reservation] = []
        self.ended: list[Reservation] = []
        self.count = 0
        self.runner = asyncio.Runner()

    def _replica(self, ahead_us: int) -> RedisStore:
        """It believes that the clock is so far ahead."""
        return RedisStore(
            self.server.url,
            clock=self.clock,
            near=lambda: self.clock.now_us + ahead_us,
            prefix=self.prefix,
            timeout_seconds=10,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            for reservation in self.open:
                self._settle(reservation, 0, 0)
            if not self.truth.clock_was_set_back:
                assert self.run(self.memory.open_reservations()) == 0
                assert self.run(self.replicas[0].open_reservations()) == 0
        finally:
            for store in self.replicas:
                self.run(store.aclose())
            self.runner.close()

    @rule(
        account=ACCOUNTS,
        which=WHICH,
        tokens=st.one_of(st.integers(1, 60), st.sampled_from([1, 300, 700, 901, 10**18])),
        by=REPLICAS,
        without=ONE_OF_MANY,
    )
    def reserve(
        self, account: str, which: frozenset[int], tokens: int, by: int, without: int
    ) -> None:
        step = histories.Reserve(account, which, tokens)
        charges = tuple(self.history.charge(step, i) for i in sorted(which))
        hand = self.hands.get(account, UNTOUCHED).at(self.clock.now_us)
        fewer = tuple(c for i, c in enumerate(charges) if i != without % len(charges))
        with_fewer = self.run(self.history.after(0, hand.on(fewer)))
        self.count += 1
        name = f"r{self.count}"
        before = self.server.dump(self.prefix), repr(self.memory._cells)
        said = self.run(self.memory.reserve(name, charges, account))
        assert self.run(self.replicas[by].reserve(name, charges, account)) == said
        assert said.hand == hand
        assert all(reading.used >= 0 for reading in said.readings)
        if hand.ban:
            assert not said.admitted
            assert not any(reading.charged for reading in said.readings)
        else:
            as_granted = hand.on(charges)
            made = self.truth.reserved(name, as_granted, said)
            self.run(self.history.check_promises(as_granted, said))
            assert with_fewer.admitted or not said.admitted, "a limit more never admits more"
            if made:
                self.open.append(Reservation(name, said.at_us, made))
        if not any(reading.charged for reading in said.readings):
            after = self.server.dump(self.prefix), repr(self.memory._cells)
            assert after == before or self.truth.clock_was_set_back

    @precondition(lambda self: self.open)
    @rule(which=ONE_OF_MANY, tokens=st.one_of(st.integers(-5, 80), st.just(10**9)), by=REPLICAS)
    def settle(self, which: int, tokens: int, by: int) -> None:
        reservation = self.open.pop(which % len(self.open))
        self.ended.append(reservation)
        self._settle(reservation, tokens, by)

    @precondition(lambda self: self.ended)
    @rule(which=ONE_OF_MANY, tokens=st.integers(0, 80), by=REPLICAS)
    def settle_again(self, which: int, tokens: int, by: int) -> None:
        self._settle(self.ended[which % len(self.ended)], tokens, by)

    def _settle(self, reservation: Reservation, tokens: int, by: int) -> None:
        settled = tuple(SettledCharge(c, actual_use(c, tokens)) for c in reservation.charges)
        applied = self.run(self.memory.settle(reservation, settled))
        assert self.run(self.replicas[by].settle(reservation, settled)) == applied
        self.truth.settled(reservation, settled, bool(applied))

    @precondition(lambda self: self.open)
    @rule(which=ONE_OF_MANY, by=REPLICAS)
    def renew(self, which: int, by: int) -> None:
        reservation = self.open[which % len(self.open)]
        self.run(self.memory.renew(reservation))
        self.run(self.replicas[by].renew(reservation))
        self.truth.renewed(reservation)

    @rule(us=st.one_of(st.integers(1, WINDOW_US // 8), st.integers(1, 2 * WINDOW_US)))
    def wait(self, us: int) -> None:
        self.clock.now_us += us
        self.truth.real_us += us

    @rule()
    def lapse(self) -> None:
        """Nobody renews or settles any more; whoever comes late finds nothing to settle."""
        self.wait(RECORD_US)
        self.ended += self.open
        self.open.clear()
        if not self.truth.clock_was_set_back:
            assert self.run(self.memory.open_reservations()) == 0
            assert self.run(self.replicas[0].open_reservations()) == 0

    @precondition(lambda self: not self.truth.clock_was_set_back)  # I8: a jump of an hour
    @rule(back_us=st.sampled_from([HOUR_US, WINDOW_US, 1]))
    def set_the_clock_back(self, back_us: int) -> None:
        """A hand that has lapsed may be back then, where nobody looked; so there is none."""
        for account in self.hands:
            self._change(account, 0, lambda _: UNTOUCHED)
        self.clock.now_us -= back_us
        self.truth.clock_was_set_back = True

    @rule(which=st.integers(0, 4), amount=st.sampled_from([1, 2, 5, 64, 1000]))
    def reload(self, which: int, amount: int) -> None:
        """With another amount for one of the limits."""
        self.limits[which] = changed(LIMITS[which], amount)

    @rule()
    def lose_all_scripts(self) -> None:
        with self.server.client() as client:
            client.script_flush()

    @rule(account=ACCOUNTS, lasting_us=st.sampled_from([1, WINDOW_US, HOUR_US]), by=REPLICAS)
    def ban(self, account: str, lasting_us: int, by: int) -> None:
        ban = Ban(self.clock.now_us + lasting_us)
        self._change(account, by, lambda hand: hand.with_ban(ban))

    @rule(account=ACCOUNTS, by=REPLICAS)
    def unban(self, account: str, by: int) -> None:
        self._change(account, by, lambda hand: hand.with_ban(None))

    @rule(account=ACCOUNTS, which=st.sampled_from([0, 1, 4, 10]), by=REPLICAS)
    def grant(self, account: str, which: int, by: int) -> None:
        of = LIMITS[which]
        grant = Grant(of.quota_id, of.unit, 7, self.clock.now_us + WINDOW_US)
        self._change(account, by, lambda hand: replace(hand, grants=(grant,)))

    def _change(self, account: str, by: int, change: Any) -> None:
        now_us = self.clock.now_us
        hand = change(self.hands.get(account, UNTOUCHED).at(now_us)).at(now_us)
        self.hands[account] = hand
        assert self.run(self.memory.change_hand(account, change)) == hand
        assert self.run(self.replicas[by].change_hand(account, change)) == hand

    @precondition(lambda self: not self.open)
    @rule(account=ACCOUNTS, which=st.integers(0, 1), by=REPLICAS)
    def reset(self, account: str, which: int, by: int) -> None:
        meter = LIMITS[which].meter
        self.run(self.memory.reset(account, {meter}))
        self.run(self.replicas[by].reset(account, {meter}))
        for partition, of in list(self.truth.log):
            if of == meter and (ACCOUNT, account) in partition.parts:
                del self.truth.log[partition, of]

    @invariant()
    def every_key_has_a_life_and_an_account_s_share_a_slot(self) -> None:
        assert all(ms > 0 for ms in self.server.milliseconds_to_live(self.prefix))
        tags = {key[key.index(b"{") : key.index(b"}")] for key in self.server.dump(self.prefix)}
        assert len(tags) <= 2, "two accounts"


RELAXED = settings(
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set back by hours finds again what a real server's TTL would still have."""
    monkeypatch.setattr(in_memory, "GRACE_US", 2**50)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whatever_happens_both_stores_keep_to_the_log_of_truth(server: RedisServer) -> None:
    run_machine(
        lambda: Counters(server),  # type: ignore[arg-type]  # a class, or what makes one
        settings=settings(RELAXED, max_examples=10, stateful_step_count=40),
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_they_keep_to_it_for_long(server: RedisServer) -> None:
    run_machine(
        lambda: Counters(server),  # type: ignore[arg-type]  # a class, or what makes one
        settings=settings(RELAXED, max_examples=25, stateful_step_count=60),
    )

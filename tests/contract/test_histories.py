"""Random histories: memory and a real server agree bit for bit, and both with a log of truth."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.decision.measured import terms
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import Reservation, Reserved, SettledCharge, Store
from gateway.policy.quota import SECOND_US, Limit, Period, Unit, WindowKind
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore
from tests.parts.clock import START_US, Clock
from tests.parts.redis_servers import RedisServer
from tests.parts.reference import Reference, changed
from tests.parts.values import calendar_limit, limit

WINDOW_US = 10 * SECOND_US
SLICE_US = WINDOW_US // 64

LIMITS = (
    limit(30, quota_id="requests", window_us=WINDOW_US),
    limit(900, Unit.TOKENS, quota_id="tokens", window_us=WINDOW_US),
    limit(7, quota_id="paced", window_us=WINDOW_US, kind=WindowKind.BUCKET, burst=3),
    limit(
        200,
        Unit.OUTPUT_TOKENS,
        quota_id="bucket",
        window_us=WINDOW_US,
        kind=WindowKind.BUCKET,
        burst=900,
    ),
    limit(8, Unit.CONCURRENT, quota_id="slots", lease_us=3 * SECOND_US),
    limit(  # hardly ever empty
        20,
        Unit.TOKENS,
        quota_id="deep",
        window_us=WINDOW_US,
        kind=WindowKind.BUCKET,
        burst=5000,
    ),
    limit(20, quota_id="trial", window_us=7 * WINDOW_US),
    limit(300, Unit.INPUT_TOKENS, quota_id="trial", window_us=WINDOW_US),
    calendar_limit(9, Period.MINUTE, quota_id="by-minute"),
    calendar_limit(700, Period.HOUR, Unit.TOKENS, quota_id="by-hour"),
    calendar_limit(900, Period.DAY, Unit.TOKENS, quota_id="by-day"),
    calendar_limit(20, Period.MONTH, quota_id="trial", timezone="Australia/Lord_Howe"),
)
SHADOWS = {"trial"}
BY_MODEL = {"bucket", "trial"}
"""These are counted by account and model, in a partition of their own."""

COUNTED_ONCE = {Unit.REQUESTS, Unit.CONCURRENT}


@dataclass(frozen=True)
class Reserve:
    account: str
    which: frozenset[int]
    tokens: int


@dataclass(frozen=True)
class Settle:
    which: int
    actual: int
    again: bool = False


@dataclass(frozen=True)
class Renew:
    which: int


@dataclass(frozen=True)
class Wait:
    us: int


@dataclass(frozen=True)
class SetBack:
    us: int


@dataclass(frozen=True)
class Change:
    which: int
    amount: int


def weighted(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """`one_of` takes a strategy that is named twice for one."""
    return st.sampled_from([s for weight, s in choices for _ in range(weight)]).flatmap(lambda s: s)


RESERVE = st.builds(
    Reserve,
    st.sampled_from(["anna", "anna", "anna", "bert"]),
    st.frozensets(st.integers(0, len(LIMITS) - 1), min_size=1),
    weighted(
        (8, st.integers(1, 60)),
        (2, st.integers(1, 300)),
        (1, st.sampled_from([1, 500, 700, 901, 10**18])),
    ),
)
WAIT = st.builds(
    Wait,
    weighted(
        (8, st.integers(1, 4 * SLICE_US)),
        (2, st.sampled_from([1, SLICE_US, SLICE_US - 1, WINDOW_US, WINDOW_US + SLICE_US])),
        (2, st.integers(1, 2 * WINDOW_US)),
        (1, st.sampled_from([3_000 * SECOND_US, 3_600 * SECOND_US])),
    ),
)
SETTLE = st.builds(
    Settle,
    st.integers(0, 5),
    weighted((3, st.just(0)), (6, st.integers(-5, 80)), (1, st.sampled_from([400, 10**9]))),
    again=weighted((5, st.just(value=False)), (1, st.just(value=True))),
)
CHANGE = st.builds(Change, st.integers(0, 3), st.sampled_from([1, 2, 5, 64, 1000, 5000]))
SET_BACK = st.builds(
    SetBack,
    st.one_of(st.integers(1, SLICE_US), st.integers(1, 9 * SLICE_US), st.integers(1, WINDOW_US)),
)
RENEW = st.builds(Renew, st.integers(0, 5))

STEADY = weighted((6, RESERVE), (5, WAIT), (4, SETTLE), (1, RENEW), (1, CHANGE))
TROUBLED = weighted((20, STEADY), (1, SET_BACK))

Step = Reserve | Settle | Renew | Wait | SetBack | Change


@dataclass
class History:
    """The same steps on both stores, checked after each."""

    memory: MemoryStore
    other: Store
    clock: Clock
    truth: Reference = field(default_factory=Reference)
    limits: list[Limit] = field(default_factory=lambda: list(LIMITS))
    open: list[Reservation] = field(default_factory=list)
    ended: list[Reservation] = field(default_factory=list)
    count: int = 0

    async def do(self, step: Step) -> None:
        match step:
            case Wait(us):
                self.clock.now_us += us
                self.truth.real_us += us
            case SetBack(us):
                self.clock.now_us -= us
                self.truth.clock_was_set_back = True
            case Change(which, amount):
                self.limits[which] = changed(LIMITS[which], amount)
            case Reserve():
                await self.reserve(step)
            case Renew(which) if self.open:
                reservation = self.open[which % len(self.open)]
                await self.memory.renew(reservation)
                await self.other.renew(reservation)
                self.truth.renewed(reservation)
            case Settle():
                await self.settle(step)

    async def reserve(self, step: Reserve) -> None:
        charges = tuple(self.charge(step, i) for i in sorted(step.which))
        self.count += 1
        reservation_id = f"r{self.count}"
        before = repr(self.memory._cells)
        one = await self.memory.reserve(reservation_id, charges)
        assert await self.other.reserve(reservation_id, charges) == one
        made = self.truth.reserved(reservation_id, charges, one)
        if made:
            self.open.append(Reservation(reservation_id, one.at_us, made))
        elif not self.truth.clock_was_set_back:
            assert repr(self.memory._cells) == before, "a refused request changes nothing"
        await self.check_promises(charges, one)

    async def check_promises(self, charges: tuple[Charge, ...], said: Reserved) -> None:
        for i, reading in enumerate(said.readings):
            if charges[i].limit.unit is not Unit.CONCURRENT:
                assert self.used_after(reading.full_after_us, charges[i]) == 0
                if reading.full_after_us:
                    assert self.used_after(reading.full_after_us - 1, charges[i]) > 0
        if not said.admitted:
            waits = [
                reading.retry_after_us
                for charge, reading in zip(charges, said.readings, strict=True)
                if not (reading.fits or charge.shadow)
            ]
            if None not in waits:
                waited = await self.after(max(w for w in waits if w is not None), charges)
                assert waited.admitted, "waiting exactly so long admits"

    def used_after(self, us: int, charge: Charge) -> int:
        """What the meter will say if nothing else comes for so long."""
        cell = self.memory._cells.get(charge.partition.parts)
        meter = cell.meters.get(charge.limit.meter) if cell else None
        then_us = self.clock.now_us + us
        return meter.view(terms(charge, then_us), then_us).used if meter else 0

    async def after(self, us: int, charges: tuple[Charge, ...]) -> Reserved:
        """What the store would say if nothing else came for so long."""
        later = MemoryStore(Clock(self.clock.now_us + us))
        later._cells = deepcopy(self.memory._cells)
        later._latest_us = self.memory._latest_us
        return await later.reserve("later", charges)

    def charge(self, step: Reserve, i: int) -> Charge:
        of = self.limits[i]
        parts = [("account.id", step.account)]
        if of.quota_id in BY_MODEL:
            parts.append(("request.model", "small"))
        amount = 1 if of.unit in COUNTED_ONCE else step.tokens
        return Charge(of, Partition(tuple(parts)), amount, of.quota_id in SHADOWS)

    async def settle(self, step: Settle) -> None:
        among = self.ended if step.again else self.open
        if not among:
            return
        reservation = among[step.which % len(among)]
        if not step.again:
            self.open.remove(reservation)
            self.ended.append(reservation)
        settled = tuple(
            SettledCharge(charge, actual_use(charge, step.actual)) for charge in reservation.charges
        )
        applied = await self.memory.settle(reservation, settled)
        assert await self.other.settle(reservation, settled) == applied
        self.truth.settled(reservation, settled, applied > 0)


def actual_use(charge: Charge, tokens: int) -> int:
    if charge.limit.unit is Unit.CONCURRENT:
        return 0
    return charge.amount if charge.limit.unit is Unit.REQUESTS else tokens


async def run(
    server: RedisServer, steps: list[Step], start_us: int = START_US, near_ahead_us: int = 0
) -> None:
    clock = Clock(start_us)
    prefix = server.fresh_prefix()
    other = RedisStore(
        server.url,
        clock=clock,
        near=lambda: clock.now_us + near_ahead_us,
        prefix=prefix,
        timeout_seconds=10,
    )
    history = History(MemoryStore(clock), other, clock, Reference(epoch_us=start_us))
    try:
        for step in steps:
            await history.do(step)
        still_open = await history.memory.open_reservations()
        assert await other.open_reservations() == still_open
        if not history.truth.clock_was_set_back:
            assert still_open == history.truth.still_open()
        assert all(ms > 0 for ms in server.milliseconds_to_live(prefix))
    finally:
        await other.aclose()


CHANGES_OF_THE_CLOCKS = [
    datetime(2027, 3, 28, 1, tzinfo=UTC),  # Berlin: 2:00 becomes 3:00
    datetime(2027, 10, 31, 1, tzinfo=UTC),  # Berlin: 3:00 becomes 2:00
    datetime(2027, 4, 3, 15, tzinfo=UTC),  # Lord Howe: 2:00 becomes 1:30
    datetime(2027, 10, 2, 15, 30, tzinfo=UTC),  # Lord Howe: 2:00 becomes 2:30
    datetime(2027, 3, 31, 13, tzinfo=UTC),  # a month begins at Lord Howe
]
BEFORE_A_CHANGE = st.builds(
    lambda at, before_us: int(at.timestamp()) * SECOND_US - before_us,
    st.sampled_from(CHANGES_OF_THE_CLOCKS),
    st.integers(0, 5_000 * SECOND_US),
)
HOURS_OFF = st.integers(-30, 30).map(lambda hours: hours * 3_600 * SECOND_US)

RELAXED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(RELAXED, max_examples=100)
@given(steps=st.lists(STEADY, min_size=40, max_size=80))
async def test_both_stores_and_the_log_of_truth_agree(
    server: RedisServer, steps: list[Step]
) -> None:
    await run(server, steps)


@settings(RELAXED, max_examples=100)
@given(steps=st.lists(TROUBLED, min_size=40, max_size=80))
async def test_they_agree_while_the_clock_is_set_back_now_and_then(
    server: RedisServer, steps: list[Step]
) -> None:
    await run(server, steps)


@settings(RELAXED, max_examples=60)
@given(
    steps=st.lists(TROUBLED, min_size=30, max_size=60),
    start_us=BEFORE_A_CHANGE,
    near_ahead_us=HOURS_OFF,
)
async def test_they_agree_while_summer_comes_and_goes_and_clocks_are_hours_apart(
    server: RedisServer, steps: list[Step], start_us: int, near_ahead_us: int
) -> None:
    await run(server, steps, start_us, near_ahead_us)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(RELAXED, max_examples=1000)
@given(steps=st.lists(TROUBLED, min_size=100, max_size=200))
async def test_they_agree_over_long_histories(server: RedisServer, steps: list[Step]) -> None:
    await run(server, steps)

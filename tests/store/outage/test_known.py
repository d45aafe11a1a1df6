"""What a replica remembers of the shared meters."""

from gateway.decision.port import Reading, Reserved, SettledCharge
from gateway.policy.quota import Unit
from gateway.store.outage.known import Memory
from tests.parts.clock import START_US
from tests.parts.values import MINUTE_US, charge, limit

TOKENS = charge(limit(1000, Unit.TOKENS), 100)
SLOT = charge(limit(5, Unit.CONCURRENT, quota_id="slots"))


def reserved(used: int, at_us: int = START_US, *, charged: bool = True) -> Reserved:
    return Reserved(charged, at_us, (Reading(used, charged, charged, 0, 0),))


def own(memory: Memory, now_us: int = START_US) -> int:
    return sum(c.amount for charges in memory.own_use(now_us) for c in charges)


def test_the_last_reading_counts_and_refusals_are_readings_too() -> None:
    memory = Memory()
    memory.note("a", (TOKENS,), reserved(100))
    memory.note("b", (TOKENS,), reserved(970, START_US + 5, charged=False))
    known = memory.of(TOKENS, START_US + 9, ())
    assert known is not None
    assert (known.used, known.at_us) == (970, START_US + 5)
    assert sum(units for _, units in known.own) == 100


def test_what_was_given_back_is_no_longer_used() -> None:
    memory = Memory()
    memory.note("a", (TOKENS,), reserved(300))
    memory.settled("a", (SettledCharge(TOKENS, 30),), START_US)
    known = memory.of(TOKENS, START_US, ())
    assert known is not None
    assert (known.used, own(memory)) == (230, 30)


def test_what_was_used_beyond_the_reservation_is_used() -> None:
    memory = Memory()
    memory.note("a", (TOKENS,), reserved(100))
    memory.settled("a", (SettledCharge(TOKENS, 150),), START_US)
    assert own(memory) == 150


def test_own_use_is_kept_for_a_window_and_never_forgotten_too_early() -> None:
    memory = Memory()
    for i in range(40):
        memory.note(f"r{i}", (TOKENS,), reserved(0, START_US + i * MINUTE_US // 10))
    now_us = START_US + 39 * MINUTE_US // 10
    assert 1000 <= own(memory, now_us) <= 1200
    assert own(memory, now_us + 2 * MINUTE_US) == 0


def test_who_holds_slots_is_known_until_he_lets_go() -> None:
    memory = Memory()
    memory.note("a", (SLOT,), reserved(1))
    memory.note("b", (SLOT,), reserved(2))
    memory.settled("a", (SettledCharge(SLOT, 0),), START_US)
    assert memory.holders() == {(SLOT.partition.parts, SLOT.limit.meter): ("b",)}
    assert memory.in_flight() == {"b": (SLOT,)}


def test_the_partition_that_was_not_seen_for_longest_is_forgotten_first() -> None:
    memory = Memory(most_partitions=2)
    one, two, three = (charge(limit(9), account=name) for name in "abc")
    for n, of in enumerate((one, two, one, three)):
        memory.note(f"r{n}", (of,), reserved(1))
    assert memory.of(two, START_US, ()) is None
    assert memory.of(one, START_US, ()) is not None


def test_a_reset_account_has_used_nothing() -> None:
    memory = Memory()
    memory.note("a", (TOKENS,), reserved(100))
    memory.forget("acct_1")
    assert memory.of(TOKENS, START_US, ()) is None
    assert own(memory) == 0

"""What is said to the scripts, and how their packed state is read."""

from struct import pack

from gateway.decision.hand import UNTOUCHED, Ban, Grant, Hand
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import SettledCharge
from gateway.policy.quota import SECOND_US, Period, Unit
from gateway.store.keys import partition_key
from gateway.store.redis.words import (
    hand_bytes,
    open_holders,
    read_hand,
    readings,
    sliding_meter,
    to_renew,
    to_reserve,
    to_settle,
)
from tests.parts.values import calendar_limit, charge, limit

MODEL = Partition((("request.model", "small"),))
REQUESTS = charge(limit(5, quota_id="requests"))
TOKENS = charge(limit(900, Unit.TOKENS, quota_id="tokens"), 70)
BY_MODEL = Charge(limit(9, quota_id="by-model"), MODEL, 1)
SLOTS = charge(limit(2, Unit.CONCURRENT, quota_id="slots"))


def test_charges_are_said_partition_by_partition() -> None:
    said = to_reserve("p", (REQUESTS, BY_MODEL, TOKENS))
    assert len(said.keys) == 2
    assert said.order == [0, 2, 1]
    assert [said.words[0], said.words[15]] == [2, 1]
    assert len(said.words) == 2 + 3 * 7


def test_answers_are_put_back_into_the_order_of_the_plan() -> None:
    said = to_reserve("p", (REQUESTS, BY_MODEL, TOKENS))
    now_us = 10**15
    last = now_us // said.terms[0].span_us
    found = readings(said, [1, 3, last, 0, 1, 500, last, 0, 1, 8, last, 0], now_us)
    assert [reading.used for reading in found] == [4, 9, 570]


def test_shadow_quotas_are_groups_of_their_own() -> None:
    def group(*charges: Charge) -> list[object]:
        words = to_reserve("p", charges).words
        return [words[3 + 7 * i] for i in range(len(charges))]

    trial = [
        charge(limit(n, quota_id=name), shadow=True) for n, name in ((1, "x"), (2, "x"), (3, "y"))
    ]
    assert group(REQUESTS, *trial) == [0, 1, 1, 2]


def test_the_windows_of_a_calendar_are_told_as_moments_none_of_them_before_the_epoch() -> None:
    day = charge(calendar_limit(5, Period.DAY, timezone="UTC"))
    told = to_reserve("p", (day,)).words[6]
    assert told == b"".join(pack("<Q", days * 86_400 * SECOND_US)[:7] for days in (0, 0, 1, 2))


def test_what_does_not_change_is_not_said_but_its_partition_is() -> None:
    settled = (SettledCharge(BY_MODEL, 1), SettledCharge(TOKENS, 70), SettledCharge(SLOTS, 0))
    said = to_settle("p", settled)
    assert len(said.keys) == 2
    assert said.words[0] == 0
    assert said.order == [2]


def test_only_slots_are_renewed() -> None:
    assert to_renew("p", (REQUESTS, BY_MODEL, SLOTS)).order == [2]


def test_a_packed_meter_is_read_slice_by_slice() -> None:
    def number(n: int, size: int) -> bytes:
        return n.to_bytes(size, "little")

    body = bytes([3]) + number(500, 2) + bytes([7]) + number(2, 2)
    packed = bytes([2, 10]) + number(1010, 5) + number(9, 6) + number(511, 6) + body
    meter = sliding_meter(packed)
    assert (meter.slices, meter.amounts, meter.total) == ([1000, 1003, 1010], [500, 2, 9], 511)
    assert sliding_meter(b"").slices == []


def test_what_is_open_is_read_from_the_partition_s_own_field() -> None:
    def entry(name: bytes, until: int) -> bytes:
        return name + pack("<Q", until)[:7]

    own = pack("<Q", 77)[:7] + entry(b"lapsed!!", 1000) + entry(b"open-one", 1001)
    assert list(open_holders(own, 1000)) == [b"open-one"]


def test_a_hand_is_kept_with_the_moment_at_which_nothing_of_it_is_left() -> None:
    hand = Hand(Ban(2000, "stolen_key", "Why."), (Grant("quota", Unit.TOKENS, 5, 3000),))
    stored = hand_bytes(hand)
    assert int.from_bytes(stored[:7], "little") == 3000
    assert read_hand(stored) == hand
    assert (hand_bytes(UNTOUCHED), read_hand(b"")) == (b"", UNTOUCHED)


def test_an_account_s_own_partition_is_said_first_even_if_nothing_is_charged_there() -> None:
    said = to_reserve("p", (BY_MODEL,), first=REQUESTS.partition)
    assert said.keys == [partition_key("p", one) for one in (REQUESTS.partition, MODEL)]
    assert said.words[:2] == [0, 1]
    assert said.order == [0]

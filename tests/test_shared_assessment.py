"""Replicas that watch together see what each of them alone would miss."""

from dataclasses import replace

import pytest

from gateway.behaviour.standing import Standing
from gateway.behaviour.watch import Watch
from gateway.errors import StoreUnavailable
from gateway.facts.catalog import Facts
from gateway.facts.fingerprint import Fingerprints
from gateway.facts.principal import Account, Principal
from gateway.policy.behaviour import Behaviours, Rung
from gateway.policy.parse import load
from gateway.shared_assessment import SharedAssessment
from tests.parts.memory_exchange import MemoryExchange
from tests.parts.values import facts as some_facts

POLICY = """
behaviours:
  - id: shared-frame
    why: Young accounts share a frame.
    group: prompt.frame
    applies: history.fresh
    measure:
      members: accounts() over 48h
      payers: independent_accounts(account.payment) over 48h
    when: members >= 6 && payers >= 6
    points: 50
responses: [{at: 40, do: throttle, scale: 0.5, fleet: 10 requests/day}]
"""
KEY = b"k" * 32
START_US = 1_780_000_000_000_000
FRAMED = (
    "Here is a finished answer to a question of mine and I want you to say more about {} for me"
)


def behaviours() -> Behaviours:
    return load({"policy.yaml": POLICY}).behaviours


def asked(account: str, second: int, subject: str) -> Facts:
    prompt = Fingerprints(KEY).of(
        {"messages": [{"role": "user", "content": FRAMED.format(subject)}]}
    )
    of = Account(account, attributes={"payment": f"card of {account}"})
    return replace(
        some_facts(),
        principal=Principal(of),
        at_us=START_US + second * 1_000_000,
        prompt=prompt,
    )


@pytest.fixture
def exchange() -> MemoryExchange:
    return MemoryExchange()


def replica(exchange: MemoryExchange, name: str) -> SharedAssessment:
    return SharedAssessment(Watch(behaviours(), KEY), exchange, name)


async def turns(*replicas: SharedAssessment) -> None:
    for _ in range(2):
        for one in replicas:
            await one.turn()


def standing(one: SharedAssessment, account: str, second: int) -> Standing:
    return one.standing(asked(account, second, "anything else"))


async def test_a_fleet_spread_over_replicas_is_held_on_every_one(exchange: MemoryExchange) -> None:
    replicas = [replica(exchange, name) for name in "abc"]
    for number in range(6):
        replicas[number % 3].observe(asked(f"f{number}", number, f"subject {number}"))
    await turns(*replicas)
    for one in replicas:
        assert standing(one, "newcomer", 10).response is Rung.THROTTLE
        assert standing(one, "newcomer", 10).fleets


async def test_what_is_about_a_payer_leaves_the_process_hashed(exchange: MemoryExchange) -> None:
    one = replica(exchange, "a")
    one.observe(asked("somebody", 1, "a secret subject"))
    await one.turn()
    (batch,) = exchange._batches
    for told in (b"somebody", b"card of", b"secret", b"finished"):
        assert told not in batch


async def test_another_replica_takes_over_with_the_verdicts_that_there_are(
    exchange: MemoryExchange,
) -> None:
    first, second = replica(exchange, "a"), replica(exchange, "b")
    for number in range(6):
        first.observe(asked(f"f{number}", number, f"subject {number}"))
    await turns(first, second)
    exchange.leader = "b"  # the lease of the first one is over
    await turns(second)
    assert second.leads
    assert standing(second, "newcomer", 20).response is Rung.THROTTLE
    third = replica(exchange, "c")
    await third.turn()
    assert standing(third, "newcomer", 20).response is Rung.THROTTLE


async def test_what_was_weighed_is_not_weighed_again(exchange: MemoryExchange) -> None:
    first = replica(exchange, "a")
    for number in range(6):
        first.observe(asked(f"f{number}", number, f"subject {number}"))
    await first.turn()
    exchange.leader = "b"
    second = replica(exchange, "b")
    await second.turn()
    assert not second.watch.shelf.groups


async def test_while_the_exchange_is_away_sightings_are_dropped_and_counted(
    exchange: MemoryExchange,
) -> None:

    one = replica(exchange, "a")
    exchange.away = True
    one.observe(asked("somebody", 1, "x"))
    with pytest.raises(StoreUnavailable):
        await one.turn()
    assert one.dropped == 1
    exchange.away = False
    await one.turn()


async def test_who_only_follows_knows_the_past_of_those_it_has_served(
    exchange: MemoryExchange,
) -> None:
    leader, follower = replica(exchange, "a"), replica(exchange, "b")
    await leader.turn()
    await follower.turn()
    for day in range(20):
        follower.observe(asked("old", day * 86_400, f"subject {day}"))
    await follower.turn()
    seen = follower.watch.seen(asked("old", 20 * 86_400, "now"))
    assert follower.watch.recorder.history(seen).known_days == 20

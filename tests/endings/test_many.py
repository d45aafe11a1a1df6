"""After ten thousand cancellations and twenty killed gaugers nothing is held that nobody holds."""

import asyncio
import contextlib
import random
from collections import Counter
from itertools import count

import pytest

from gateway.admission import Admission, Rules
from gateway.decision.port import RECORD_US
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.identity.identities import Identities
from gateway.policy.quota import SECOND_US, Unit
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.middleware import Gateway
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from gateway.wiring.clock import wall_clock_us
from gateway.wiring.stores import open_store
from tests.endings.speakers import OPENAI
from tests.endings.stage import POLICIES, Scene, Theatre
from tests.parts.gauger_inside import GaugerInside
from tests.parts.gauger_process import gauger
from tests.parts.redis_servers import running
from tests.parts.values import limit, policies, quota
from tests.proxy.stage import (
    DONE,
    NOW_US,
    QUESTION,
    STREAMED,
    USAGE_CHUNK,
    Caller,
    Told,
    chunk,
    streaming,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("endings"),
]

CANCELLATIONS, AT_ONCE, TURNS = 10_000, 50, 80
KILLS, SLOTS = 20, 4
LEASE_S = 5
STILL_EVERY = 10
"""Batches, of which the first meets a server that stands still."""


async def test_ten_thousand_cancellations_leave_nothing() -> None:
    """Over the store as it serves, which waits 50 ms; the server stands still now and then."""
    rules = policies(
        quota(
            limit(10**9, Unit.REQUESTS),
            limit(10**12, Unit.TOKENS),
            limit(AT_ONCE + 1, Unit.CONCURRENT, lease_us=LEASE_S * SECOND_US),
        )
    )
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    endless = {name: QUESTION[name] for name in ("model", "messages")} | {"stream": True}
    with running("valkey") as server:
        ids, told, faults = count(), Told(), Counter[str]()
        store = open_store(server.url, on_fault=lambda kind: faults.update([kind]))
        assert isinstance(store, OutageStore)
        async with contextlib.aclosing(store):
            await store.start()
            admission = Admission(store, Rules(rules), OutputEstimator(), lambda: f"r{next(ids)}")
            gateway = Gateway(
                streaming(chunk("Hello"), chunk("w" * 6_000), USAGE_CHUNK, DONE),
                admission=admission,
                identifier=Identifier(Secret(b"secret of the tests"), Identities()),
                telemetry=told,
                limits=EdgeLimits(),
                clock=lambda: NOW_US,
            )

            async def interrupted() -> None:
                caller = Caller(gateway, body=chance.choice((STREAMED, endless)))
                running = caller.start()
                for _ in range(chance.randrange(1, TURNS)):
                    await asyncio.sleep(0)
                if chance.random() < 0.5:
                    running.cancel()
                else:
                    caller.leave()
                await asyncio.wait({running})

            for batch in range(CANCELLATIONS // AT_ONCE):
                still = server.silent() if batch % STILL_EVERY == 0 else contextlib.nullcontext()
                with still:
                    await asyncio.gather(*(interrupted() for _ in range(AT_ONCE)))
                    if batch % STILL_EVERY == 0:
                        await asyncio.sleep(0.1)  # the calls that are left have failed by then
                await back(store)
            assert await gateway.drain(30.0), f"seed {seed}"
            await back(store)
            assert len(told.finished) == CANCELLATIONS
            assert faults["timeout"] >= 1, "a server that stood still was noticed"
            assert await store.open_reservations() == 0, f"seed {seed}"
            last = await Caller(gateway).run()
            assert last.status == 200
            assert await gateway.drain(30.0)
            decision = told.finished[-1].decision
            assert decision is not None
            assert [r.used for r in decision.readings][2] == 1, f"seed {seed}: slots are held"


async def back(store: OutageStore) -> None:
    async with asyncio.timeout(30):
        while store.fault or store.owed:  # noqa: ASYNC110  it comes back by itself
            await asyncio.sleep(0.01)


async def the_head_alone(step: int) -> None:
    if step:
        await asyncio.Event().wait()


async def fill(streams: contextlib.AsyncExitStack, scene: Scene) -> None:
    """As many streams as there are slots flow, and one more is refused."""
    scene.plays(gate=the_head_alone)
    for _ in range(SLOTS):
        answer = await streams.enter_async_context(scene.asking(OPENAI))
        assert answer.status_code == 200
    assert (await scene.answer(OPENAI, stream=False)).status == 429


async def test_twenty_killed_gaugers_leave_no_slot_and_are_listed(theatre: Theatre) -> None:
    """A reservation that nobody settles stays charged and listed for an hour; it holds no slot."""
    policies_ = POLICIES / "slots.yaml"
    with running("valkey") as server:
        looking = RedisStore(server.url)
        scenes = [await theatre.scene() for _ in range(KILLS)]
        for killed, scene in enumerate(scenes, 1):
            theatre.model = scene.model
            async with (
                gauger(policies_, theatre.url, store=server.url) as doomed,
                contextlib.AsyncExitStack() as streams,
            ):
                scene.inside = GaugerInside(doomed.url)
                await fill(streams, scene)
                doomed.process.kill()
                await doomed.process.wait()
            assert await looking.open_reservations() == SLOTS * killed
        await asyncio.sleep(LEASE_S)  # by the store's clock, which has no event of ours
        async with gauger(policies_, theatre.url, store=server.url) as alive:
            for scene in scenes:
                theatre.model = scene.model
                scene.inside = GaugerInside(alive.url)
                async with contextlib.AsyncExitStack() as streams:
                    await fill(streams, scene)
                await alive.decisions(scene.key, SLOTS + 1)
        assert await looking.open_reservations() == SLOTS * KILLS
        await looking.aclose()
        later = RedisStore(server.url, clock=lambda: wall_clock_us() + RECORD_US)
        assert await later.open_reservations() == 0, "a record has its own lease, of an hour"
        await later.aclose()

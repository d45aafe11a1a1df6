"""Whoever starts streams and leaves them gets no more than the limit and one chunk of each (I7).

A model that does not keep to a ceiling which was declared passes one step at most (I14).
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.admission import Admission, Rules
from gateway.decision.extension import step_tokens
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.identity.identities import Identities
from gateway.policy.quota import SECOND_US, Unit
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.middleware import Gateway
from gateway.store.memory import MemoryStore
from tests.parts.values import limit, policies, quota
from tests.proxy.stage import NOW_US, QUESTION, Caller, Told, chunk, streaming

TOKEN = "word"
STEP = 16
QUIET = 30
"""Turns of the loop in which nothing new came: the stream waits or is over."""


@dataclass(frozen=True)
class Loop:
    """One stream: how much is declared, how its text is cut, and after what the caller leaves."""

    ceiling: int | None
    chunk_tokens: tuple[int, ...]
    heard: int

    @property
    def beyond(self) -> int:
        """One chunk; or one step, if the model does not keep to the ceiling that was declared."""
        step = 0 if self.ceiling is None else step_tokens(self.ceiling, STEP)
        return max((step, *self.chunk_tokens))


loops = st.lists(
    st.builds(
        Loop,
        ceiling=st.one_of(st.none(), st.integers(1, 400)),
        chunk_tokens=st.lists(st.integers(1, 90), min_size=1, max_size=12).map(tuple),
        heard=st.integers(1, 12),
    ),
    min_size=1,
    max_size=8,
)


class Street:
    def __init__(self, tokens: int) -> None:
        rules = Rules(
            policies(quota(limit(tokens, Unit.OUTPUT_TOKENS, window_us=3600 * SECOND_US)))
        )
        ids = iter(range(1_000))
        self.store = MemoryStore(lambda: NOW_US)
        self.told = Told()
        self._admission = Admission(self.store, rules, OutputEstimator(), lambda: f"r{next(ids)}")

    async def pass_by(self, loop: Loop) -> int:
        """How many tokens the caller has heard."""
        model = streaming(*(chunk(TOKEN * size) for size in loop.chunk_tokens), then=_for_ever)
        gateway = Gateway(
            model,
            admission=self._admission,
            identifier=Identifier(Secret(b"secret of the tests"), Identities()),
            telemetry=self.told,
            limits=EdgeLimits(step_tokens=STEP),
            clock=lambda: NOW_US,
        )
        body: dict[str, Any] = {**QUESTION, "stream": True}
        del body["max_tokens"]
        if loop.ceiling is not None:
            body["max_tokens"] = loop.ceiling
        caller = Caller(gateway, body=body)
        running = caller.start()
        quiet = 0
        while len(caller.sent) - 1 < loop.heard and not running.done() and quiet < QUIET:
            before = len(caller.sent)
            await asyncio.sleep(0)
            quiet = 0 if len(caller.sent) > before else quiet + 1
        caller.leave()
        await asyncio.wait({running})
        assert await gateway.drain(5.0)
        return _heard(caller) if caller.status == 200 else 0


async def _for_ever() -> None:
    await asyncio.Event().wait()


def _heard(caller: Caller) -> int:
    tokens = 0
    for line in caller.body.splitlines():
        told = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: {") else {}
        tokens += sum(len(c["delta"]["content"]) // len(TOKEN) for c in told.get("choices", ()))
    return tokens


@settings(max_examples=60, deadline=None)
@given(tokens=st.integers(20, 500), streams=loops, together=st.booleans())
def test_cancelled_streams_get_the_limit_and_one_chunk_each_at_most(
    tokens: int, streams: list[Loop], *, together: bool
) -> None:
    async def play() -> None:
        street = Street(tokens)
        if together:
            heard = list(await asyncio.gather(*(street.pass_by(loop) for loop in streams)))
        else:
            heard = [await street.pass_by(loop) for loop in streams]
        beyond = sum(loop.beyond for loop, got in zip(streams, heard, strict=True) if got)
        assert sum(heard) <= tokens + beyond
        assert await street.store.open_reservations() == 0
        settled = [f.settlement.output_tokens for f in street.told.finished if f.settlement]
        assert sum(settled) >= sum(heard)

    asyncio.run(play())

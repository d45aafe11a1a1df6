"""What a recording costs: of the event loop, of the writer's thread, on the disk, and to verify.

Run it alone on a quiet machine: python -m tests.benchmarks.recording_cost
"""

import asyncio
import gc
import random
import sys
import tempfile
import time
from pathlib import Path

from gateway.admission import Admission, Permit, Rules
from gateway.decision.settlement import Delivered
from gateway.facts.estimate import OutputEstimator
from gateway.facts.usage import Usage
from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.recording import Recording, writer
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.replay.run import replay
from gateway.replay.traffic import Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.store.memory import MemoryStore
from tests.parts.values import facts
from tests.recording.crowd import POLICIES, RunningClock

EXCHANGES = 20_000
ROUNDS = 3
TEXTS = {"quotas.yaml": POLICIES}


async def pass_through(recording: Recording | None) -> float:
    """Seconds for all exchanges, each admitted and settled."""
    clock = RunningClock(random.Random(1))
    rules = Rules(load(TEXTS))
    ids = iter(range(1 << 40))
    admission = Admission(
        MemoryStore(clock), rules, OutputEstimator(), lambda: f"{next(ids)}", journal=recording
    )
    asked = [facts(f"acct_{n % 500}", organization=f"org_{n % 50}") for n in range(EXCHANGES)]
    gc.collect()
    gc.disable()  # live, what waits is gone after 50 ms; here all of it waits
    begun = time.perf_counter()
    for one in asked:
        permit: Permit = await admission.admit(one)
        await admission.settle(permit, Usage(8, 40), Delivered(began=True, status=200))
    took = time.perf_counter() - begun
    gc.enable()
    return took


def recorded(path: Path) -> tuple[float, float]:
    """In the loop, and then in the thread until all is on the disk."""
    lost: list[int] = []
    writer_every_s, writer.WRITE_EVERY_S = writer.WRITE_EVERY_S, 3_600.0  # type: ignore[misc]
    try:
        recording = Recording(
            path,
            store="memory",
            clock=lambda: 1_780_000_000_000_000,
            pseudonym=str.upper,
            on_lost=lambda _, count: lost.append(count),
        )
        recording._writer._most_lines = 1 << 30
        recording.policies_in_force(load(TEXTS).digest, TEXTS)
        took = asyncio.run(pass_through(recording))
        begun = time.perf_counter()
        recording.close()
    finally:
        writer.WRITE_EVERY_S = writer_every_s  # type: ignore[misc]
    assert not lost
    return took, time.perf_counter() - begun


def verified(path: Path) -> float:
    clock = SimulatedClock()
    side = Side(Policies(), MemoryStore(clock), clock, recorded_policies=True)

    async def tell(exchanges: int, at_us: int) -> None:
        del exchanges, at_us

    begun = time.perf_counter()
    asyncio.run(replay(Traffic([TrafficSource(str(path))]), [side], tell))
    took = time.perf_counter() - begun
    assert side.verification.exact
    assert side.verification.compared == EXCHANGES
    return took


def main() -> None:
    def each_us(seconds: float) -> float:
        return seconds / EXCHANGES * 1e6

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "traffic.jsonl"
        plain = min(asyncio.run(pass_through(None)) for _ in range(ROUNDS))
        both = [recorded(path) for _ in range(ROUNDS)]
        loop, thread = min(one for one, _ in both), min(other for _, other in both)
        again = min(verified(path) for _ in range(ROUNDS))
        size = path.stat().st_size
    sys.stdout.write(
        f"an exchange, not recorded   {each_us(plain):8.1f} us\n"
        f"recorded: the loop's part   {each_us(loop - plain):8.1f} us\n"
        f"          the thread's part {each_us(thread):8.1f} us\n"
        f"          on the disk       {size / EXCHANGES:8.0f} bytes, two lines\n"
        f"verified                    {EXCHANGES / again:8,.0f} a second\n"
    )


if __name__ == "__main__":
    main()

"""What a request waits under each fault: `python -m tests.benchmarks.redis_faults [--json]`.

Two replicas behind a proxy, with the store timeout as served (50 ms). For each fault: how long the
first request waited and the others after it, how many were refused as unavailable, what was
admitted of a limit of 100 in all, and how long after the fault's end the store counted again.
"""

import argparse
import asyncio
import json
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import table
from tests.faults.replicas import LIMIT, ONE, pair
from tests.faults.test_redis_faults import FAULTS, Stage
from tests.parts.fault_proxy import fault_proxy

REQUESTS = 300


@dataclass(frozen=True)
class Measured:
    fault: str
    first_ms: float
    p50_ms: float
    p99_ms: float
    unavailable: int
    admitted: int
    over: int
    back_after_s: float


async def measure(fault: str) -> Measured:
    begin, end = FAULTS[fault]
    with TemporaryDirectory(prefix="gauger-") as folder:
        stage = Stage(Path(folder))
        try:
            async with (
                fault_proxy(stage.server.url) as stage.proxy,
                pair(stage.proxy.url, timeout_seconds=0.05) as both,
            ):
                await both.ask(40)
                await begin(stage)
                waits = []
                for i in range(REQUESTS):
                    began = time.perf_counter()
                    await both.ask(1, ONE)
                    waits.append((time.perf_counter() - began) * 1e3)
                    if i < 2:  # one of each replica
                        await asyncio.sleep(0.02)
                first = max(waits[:2])
                later = sorted(waits[2:])
                await end(stage)
                ended = time.perf_counter()
                await both.back()
                back = time.perf_counter() - ended
                await both.ask(2 * LIMIT)
                return Measured(
                    fault,
                    first,
                    later[len(later) // 2],
                    later[len(later) * 99 // 100],
                    both.unavailable,
                    both.admitted,
                    max(0, both.admitted - LIMIT),
                    back,
                )
        finally:
            stage.close()


async def measure_all() -> list[Measured]:
    return [await measure(fault) for fault in FAULTS]


def shown(found: list[Measured]) -> str:
    return table(
        (
            "fault",
            "first",
            "then p50",
            "then p99",
            "503",
            "admitted of 100",
            "over",
            "counts again",
        ),
        [
            (
                one.fault,
                f"{one.first_ms:.1f} ms",
                f"{one.p50_ms:.2f} ms",
                f"{one.p99_ms:.2f} ms",
                str(one.unavailable),
                str(one.admitted),
                str(one.over),
                f"{one.back_after_s:.1f} s",
            )
            for one in found
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)
    found = asyncio.run(measure_all())
    print(json.dumps([asdict(one) for one in found]) if asked.json else shown(found))  # noqa: T201  # it is what this prints


if __name__ == "__main__":
    main()

"""One replica in a process of its own, whose clock is wrong: `python -m tests.contract.replica`.

It asks for as much as it can get, and prints what it got, one line for each admission.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from itertools import count

from gateway.decision.port import Reservation, SettledCharge
from gateway.policy.quota import SECOND_US, Limit, Unit
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from tests.parts.values import charge, limit

WINDOW_US = 2 * SECOND_US
REQUESTS = limit(120, window_us=WINDOW_US, quota_id="requests")
TOKENS = limit(6_000, Unit.TOKENS, window_us=WINDOW_US, quota_id="tokens")
SLOTS = limit(12, Unit.CONCURRENT, quota_id="slots")
LIMITS = (REQUESTS, TOKENS, SLOTS)
RESERVED_TOKENS = 70
CLIENTS = 50
TIMEOUT_SECONDS = 20
"""A machine that is busy with four replicas is no fault of the store's."""


def put_clocks_wrong(by_us: int) -> Callable[[], int]:
    """All that this process can read, but for the one that only counts. Returns the right one."""
    right_ns = time.time_ns
    time.time_ns = lambda: right_ns() + by_us * 1000
    time.time = lambda: time.time_ns() / 1e9
    return lambda: right_ns() // 1000


async def replica(url: str, skew_us: int, seconds: float) -> None:
    right_us = put_clocks_wrong(skew_us)
    store = OutageStore(
        RedisStore(url, timeout_seconds=TIMEOUT_SECONDS), clock=lambda: time.time_ns() // 1000
    )
    await store.start()
    until = time.monotonic() + seconds
    numbers = count()
    got: list[str] = []

    async def client() -> None:
        while time.monotonic() < until:
            number = next(numbers)
            name, actual = f"{skew_us}-{number}", number * 7 % RESERVED_TOKENS
            charges = tuple(charge(of, _reserved(of)) for of in LIMITS)
            before_us = right_us()
            reserved = await store.reserve(name, charges, "acct_1")
            after_us = right_us()
            if not reserved.admitted:
                await asyncio.sleep(0.01)
                continue
            await asyncio.sleep(0.001 * (number % 40))
            settled = tuple(SettledCharge(one, _actual(one.limit, actual)) for one in charges)
            over_us = await store.settle(Reservation(name, reserved.at_us, charges), settled)
            got.append(json.dumps([before_us, reserved.at_us, after_us, actual, over_us]))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    assert not store.faults, "it was never away"
    await store.aclose()
    sys.stdout.write("\n".join(got))


def _reserved(of: Limit) -> int:
    return RESERVED_TOKENS if of.unit is Unit.TOKENS else 1


def _actual(of: Limit, tokens: int) -> int:
    if of.unit is Unit.CONCURRENT:
        return 0
    return tokens if of.unit is Unit.TOKENS else 1


if __name__ == "__main__":
    asyncio.run(replica(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))

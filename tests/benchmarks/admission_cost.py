"""What one admission costs: `python -m tests.benchmarks.admission_cost [--json] [--seconds 3]`.

Client CPU for four limits of one account at 32 concurrent admissions, on one server and in one run:
gauger over its own connection, the same over redis-py, the script alone on both, and `limits` with
its sliding window counter, which asks for each limit apart. The ratios mean something; the
microseconds belong to the machine. Besides, round trips and server commands for each admission.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import redis.asyncio
from limits import RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from gateway.decision.plan import Charge, Partition
from gateway.decision.port import Store
from gateway.policy.quota import Unit
from gateway.store.memory import MemoryStore
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from gateway.store.redis.scripts import RESERVE
from tests.benchmarks.figures import table
from tests.parts.redis_servers import RedisServer, running
from tests.parts.values import MINUTE_US, limit

CONCURRENT = 32
ACCOUNTS = 200
LIMITS = (
    limit(10**9, quota_id="rpm"),
    limit(10**12, Unit.TOKENS, quota_id="tpm"),
    limit(10**12, Unit.TOKENS, quota_id="tph", window_us=60 * MINUTE_US),
    limit(10**12, Unit.TOKENS, quota_id="tpd", window_us=24 * 60 * MINUTE_US),
)
PLANS = [
    tuple(
        Charge(of, Partition((("account.id", f"acct_{n}"),)), 1 if of.unit is Unit.REQUESTS else 7)
        for of in LIMITS
    )
    for n in range(ACCOUNTS)
]

One = Callable[[int], Awaitable[object]]


@dataclass(frozen=True)
class Measured:
    name: str
    client_us: float
    server_us: float
    trips: float
    commands: float
    admissions_per_s: float


def _clock_us() -> int:
    return time.time_ns() // 1000


def reserving(store: Store) -> One:
    return lambda n: store.reserve(f"r{n}", PLANS[n % ACCOUNTS], f"acct_{n % ACCOUNTS}")


def by_limits(server: RedisServer) -> One:
    storage = RedisStorage(f"async+redis+{server.url}", implementation="redispy")
    limiter = SlidingWindowCounterRateLimiter(storage)
    items = (
        RateLimitItemPerMinute(10**9, namespace="rpm"),
        RateLimitItemPerMinute(10**12, namespace="tpm"),
        RateLimitItemPerHour(10**12, namespace="tph"),
        RateLimitItemPerDay(10**12, namespace="tpd"),
    )

    async def one(n: int) -> None:
        for i, item in enumerate(items):
            await limiter.hit(item, f"acct_{n % ACCOUNTS}", cost=7 if i else 1)

    return one


def alone_over_redis_py(client: "redis.asyncio.Redis") -> One:
    """EVALSHA with words that are made once: what the client library itself costs."""
    store = RedisStore("unix:///nowhere", pipelined=False)
    said: list[tuple[object, ...]] = []

    async def noted(*words: object) -> list[int]:
        said.append(words[2:])
        return [1, 0, *([1, 0, 0, 0] * len(LIMITS))]

    store._admin._command = noted  # type: ignore[attr-defined]  # a Link
    made: dict[int, tuple[object, ...]] = {}

    async def one(n: int) -> None:
        n %= ACCOUNTS
        if n not in made:
            await reserving(store)(n)
            made[n] = said[-1]
        await client.evalsha(RESERVE.sha, *made[n])  # type: ignore[arg-type]  # its own types

    return one


async def measure(name: str, one: One, server: RedisServer | None, seconds: float) -> Measured:
    numbers = iter(range(10**9))
    until = 0.0

    async def worker() -> int:
        done = 0
        while time.perf_counter() < until:
            await one(next(numbers))
            done += 1
        return done

    async def run(for_seconds: float) -> int:
        nonlocal until
        until = time.perf_counter() + for_seconds
        return sum(await asyncio.gather(*(worker() for _ in range(CONCURRENT))))

    await run(seconds / 3)
    before = _server_state(server)
    began, cpu = time.perf_counter(), time.process_time()
    done = await run(seconds)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    after = _server_state(server)
    trips, commands, server_s = (b - a for a, b in zip(before, after, strict=True))
    return Measured(
        name, cpu / done * 1e6, server_s / done * 1e6, trips / done, commands / done, done / took
    )


def _server_state(server: RedisServer | None) -> tuple[float, float, float]:
    """Commands from clients, all commands, CPU seconds."""
    if server is None:
        return 0.0, 0.0, 0.0
    with server.client() as client:
        stats = client.info("commandstats")
        cpu = client.info("cpu")
        calls = {name.removeprefix("cmdstat_"): of["calls"] for name, of in stats.items()}
    calls.pop("info", None)
    trips = sum(n for name, n in calls.items() if name in ("evalsha", "eval"))
    return trips, sum(calls.values()), cpu["used_cpu_user"] + cpu["used_cpu_sys"]


async def measure_all(seconds: float) -> list[Measured]:
    found = []
    with running("valkey") as server:
        ours = OutageStore(
            RedisStore(server.url, prefix="ours", timeout_seconds=10), clock=_clock_us
        )
        await ours.start()
        raw = RedisStore(server.url, prefix="wire", timeout_seconds=10)
        over_redis_py = RedisStore(server.url, prefix="py", timeout_seconds=10, pipelined=False)
        client = redis.asyncio.Redis.from_url(server.url, protocol=2)
        contenders = [
            ("gauger, memory", reserving(MemoryStore(_clock_us)), None),
            ("gauger, own connection, ready for an outage", reserving(ours), server),
            ("gauger, own connection", reserving(raw), server),
            ("gauger, over redis-py", reserving(over_redis_py), server),
            ("redis-py, EVALSHA alone", alone_over_redis_py(client), server),
            ("limits, sliding window counter", by_limits(server), server),
        ]
        for name, one, behind in contenders:
            found.append(await measure(name, one, behind, seconds))
        await client.aclose()
        for store in (ours, raw, over_redis_py):
            await store.aclose()
    return found


def shown(found: list[Measured]) -> str:
    base = next(one for one in found if one.name == "gauger, own connection, ready for an outage")
    return table(
        ("4 limits, 32 at once", "client CPU", "ratio", "server CPU", "trips", "commands", "per s"),
        [
            (
                one.name,
                f"{one.client_us:.1f} us",
                f"{one.client_us / base.client_us:.2f}",
                f"{one.server_us:.1f} us",
                f"{one.trips:.2f}",
                f"{one.commands:.2f}",
                f"{one.admissions_per_s:,.0f}",
            )
            for one in found
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    try:
        import uvloop  # noqa: PLC0415  # as served; without it asyncio's own

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        found = runner.run(measure_all(asked.seconds))
    print(json.dumps([asdict(one) for one in found]) if asked.json else shown(found))  # noqa: T201  # it is what this prints


if __name__ == "__main__":
    main()

"""How many exchanges a second a backtest passes on one core, by the quotas it has to keep.

Run it alone on a quiet machine: python -m tests.benchmarks.backtest_speed [TRAFFIC...]
Without a file it makes its own traffic. Prints rates, and what a step costs as the difference of
two passes; beside them the rate of merely parsing every line with the standard library's json, by
which two machines can be compared.
"""

import asyncio
import gc
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy_directory import read_texts
from gateway.replay.clock import SimulatedClock
from gateway.replay.decisions import DecisionWriter
from gateway.replay.engine import Observer, Side
from gateway.replay.intake import Intake
from gateway.replay.record import Record
from gateway.replay.run import replay
from gateway.replay.tally import Tally
from gateway.replay.traffic import Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.store.memory import MemoryStore

EXCHANGES = 60_000
ACCOUNTS = 2_000
ROUNDS = 3
"""The best of them counts: the others measure the machine's other work."""

REQUESTS = "{id: requests, why: w, limit: 500 requests/day}"
TOKENS = "{id: tokens, why: w, limit: 400k tokens/day}"
ORGANIZATION = "{id: organization, why: w, limit: 4M tokens/day, per: organization}"
IN_FLIGHT = "{id: in-flight, why: w, limit: 8 concurrent}"

SETS = {
    "no quota": (),
    "1 quota, requests": (REQUESTS,),
    "1 quota, tokens": (TOKENS,),
    "2 quotas": (REQUESTS, TOKENS),
    "4 quotas": (REQUESTS, TOKENS, ORGANIZATION, IN_FLIGHT),
}


def make_traffic(path: Path) -> None:
    """Chats of one turn, two records a second, some 650 bytes each."""
    rng = random.Random(6)
    words = ["limit", "model", "window", "token", "reserve", "answer", "account", "stream"]
    with path.open("w") as file:
        for number in range(EXCHANGES):
            account = rng.randrange(ACCOUNTS)
            prompt = " ".join(rng.choices(words, k=rng.randrange(5, 60)))
            record = {
                "at": 1_780_000_000 + number / 2,
                "account": f"acct_{account:05}",
                "attributes": {
                    "plan": "free",
                    "created_at": 1_779_900_000,
                    "organization": f"org_{account % 200}",
                    "network": "AS64500",
                    "address": "203.0.113.7",
                },
                "method": "POST",
                "path": "/v1/chat/completions",
                "headers": {"user-agent": "OpenAI/Python 2.1.0"},
                "body": {
                    "model": "small",
                    "messages": [
                        {"role": "system", "content": "You answer briefly."},
                        {"role": "user", "content": prompt},
                    ],
                    "max_tokens": 256,
                },
                "response": {
                    "status": 200,
                    "usage": {"input_tokens": 60, "output_tokens": 180},
                    "duration": 2.1,
                },
                "label": "benign/chat",
            }
            file.write(json.dumps(record) + "\n")


def policies(rules: tuple[str, ...]) -> Policies:
    return load({"bench.yaml": f"quotas: [{', '.join(rules)}]"}) if rules else Policies()


def parse_only(paths: list[str]) -> int:
    """The yardstick."""
    return sum(1 for path in paths for line in TrafficSource(path).lines() if json.loads(line))


def read_only(paths: list[str]) -> int:
    intake = Intake()
    records = (r for r in Traffic(sources(paths)) if isinstance(r, Record))
    return len([None for r in records if intake.take(r, r.at_us) is not None])


def backtest(paths: list[str], rules: Policies, *, reported: bool = True) -> int:
    clock = SimulatedClock()
    observers: list[Observer] = []
    if reported:
        observers = [Tally().note]
    side = Side(rules, MemoryStore(clock), clock, observers)
    return asyncio.run(replay(Traffic(sources(paths)), [side], _tell))


def with_decisions(paths: list[str], rules: Policies) -> int:
    clock = SimulatedClock()
    with tempfile.TemporaryFile() as file:
        observers = [Tally().note, DecisionWriter(file).write]
        side = Side(rules, MemoryStore(clock), clock, observers)
        return asyncio.run(replay(Traffic(sources(paths)), [side], _tell))


def sources(paths: list[str]) -> list[TrafficSource]:
    return [TrafficSource(path) for path in paths]


def measured(name: str, work: Callable[[], int], yardstick: float | None = None) -> float:
    """Exchanges a second of CPU time; printed, with the ratio to the yardstick."""
    rates = []
    for _ in range(ROUNDS):
        gc.collect()
        begun = time.process_time()
        exchanges = work()
        rates.append(exchanges / (time.process_time() - begun))
    rate = max(rates)
    ratio = f"{rate / yardstick:6.2f} of json.loads" if yardstick else ""
    sys.stdout.write(f"{name:34} {rate:10,.0f} a second {1e6 / rate:8.1f} us {ratio}\n")
    return rate


async def _tell(exchanges: int, at_us: int) -> None:
    del exchanges, at_us
    await asyncio.sleep(0)


def main() -> None:
    paths = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        if not paths:
            paths = [str(Path(folder) / "traffic.jsonl")]
            make_traffic(Path(paths[0]))
        gc.freeze()
        gc.set_threshold(100_000, 10, 10)
        yardstick = measured("json.loads of every line", lambda: parse_only(paths))
        measured("records and facts", lambda: read_only(paths), yardstick)
        for name, rules in SETS.items():
            measured(name, partial(backtest, paths, policies(rules)), yardstick)
        made = policies(SETS["2 quotas"])
        measured("2 quotas, unreported", lambda: backtest(paths, made, reported=False), yardstick)
        measured("2 quotas, with decisions", lambda: with_decisions(paths, made), yardstick)
        shipped = Path(__file__).parents[2] / "policies"
        texts = read_texts(shipped)
        measured("the shipped policies", lambda: backtest(paths, load(texts)), yardstick)
    most_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"memory at most {most_mib:.0f} MiB\n")


if __name__ == "__main__":
    main()

"""What behaviour policies cost: microseconds of an exchange, and bytes of an account.

    python -m tests.benchmarks.behaviour_cost [policies]

The exchanges are those of the simulator: a tenth of the honest populations and a fleet of a hundred
accounts, three days, without any corpus.
"""

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.behaviour.watch import Watch
from gateway.facts.catalog import Facts
from gateway.policy.behaviour import Behaviours
from gateway.policy.parse import load
from gateway.policy_directory import read_texts
from gateway.replay.intake import FINGERPRINT_KEY, Intake
from gateway.replay.record import Record
from gateway.simulation.campaign import read_campaign
from gateway.simulation.corpora import built_in
from gateway.simulation.order import Order, read_populations
from gateway.simulation.stream import Simulation

T = TypeVar("T")


def facts_of(records: Sequence[Record], behaviours: Behaviours) -> list[Facts]:
    intake = Intake()
    intake.read_prompts(behaviours)
    taken = [intake.take(record, round(record.at * 1_000_000)).asked for record in records]
    return [asked for asked in taken if isinstance(asked, Facts)]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def each(what: str, of: Sequence[T], work: Callable[[T], object]) -> None:
    costs = []
    for one in of:
        begun = time.perf_counter_ns()
        work(one)
        costs.append((time.perf_counter_ns() - begun) / 1_000)
    costs.sort()
    p99 = costs[int(len(costs) * 0.99)]
    say(
        f"  {what:24} {statistics.median(costs):6.1f} us   mean "
        f"{statistics.fmean(costs):6.1f}   p99 {p99:6.1f}"
    )


def main() -> None:
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "policies")
    behaviours = load(read_texts(directory)).behaviours
    order = Order(
        populations=read_populations("all:0.1"),
        campaigns=(read_campaign("fleet:accounts=100,begin=1"),),
        days=3,
        seed=1,
    )
    records = list(Simulation(order, built_in()))
    bodies = [msgspec.json.decode(record.body) for record in records]
    asked = facts_of(records, behaviours)
    watch = Watch(behaviours, FINGERPRINT_KEY)
    say(f"{len(behaviours.rules)} behaviours, {len(asked):,} exchanges, one core")
    say("before the upstream call")
    each("fingerprints", bodies, watch.fingerprints.of)
    each("standing, nobody held", asked, watch.standing)
    say("after it")
    each("the rest of the prompt", asked, lambda facts: facts.prompt.rest)
    each("recording", asked, watch.see)
    say(f"now {len(watch.board.groups)} groups and {len(watch.board.cases)} accounts are held")
    each("standing", asked, watch.standing)
    again, fresh = Watch(behaviours, FINGERPRINT_KEY), facts_of(records, behaviours)
    for facts in fresh:
        _ = facts.prompt.rest
    tracemalloc.start()
    for facts in fresh:
        again.see(facts)
    kept, shelf = tracemalloc.get_traced_memory()[0], again.shelf
    say(
        f"memory: {kept / len(shelf.accounts):,.0f} B an account, all states together "
        f"({len(shelf.accounts):,} accounts, {len(shelf.groups):,} groups, {len(shelf.lone):,} "
        "traits of one account)"
    )


if __name__ == "__main__":
    main()

"""The detection benchmark: runs the trials that were asked for, and prints, writes and plots them.

    python -m tests.benchmarks.detection --policies policies --corpora DIR --seeds 5 --html out.html

Every campaign runs alone among honest accounts, once for each seed; one more run for each seed has
honest accounts only. A comparison names further directories: --policies mine --policies theirs.
A curve instead of a point: --sweep card:cover=0,0.25,0.5,0.75,0.9
Decisions that were made elsewhere: --traffic FILE --decisions FILE
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import msgspec

from gateway.replay.record import Record
from gateway.replay.traffic import Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.simulation.corpora import from_directory
from tests.benchmarks.detection.measures import DAY_S, measured
from tests.benchmarks.detection.page import page
from tests.benchmarks.detection.report import tables
from tests.benchmarks.detection.targets import FAMILIES
from tests.benchmarks.detection.trial import (
    CALIBRATION_DAYS,
    HONEST_ONLY,
    Outcome,
    Setting,
    Trial,
    outcome,
    run_trial,
)
from tests.benchmarks.detection.verdicts import Verdict, of_line


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _arguments(arguments)
    if asked.traffic:
        outcomes = _recorded(asked.traffic, asked.decisions)
    else:
        setting = Setting(
            policies={path.as_posix(): path for path in asked.policies},
            corpora=asked.corpora,
            scale=asked.scale,
            days=asked.days,
            without=tuple(asked.without),
            hold_out=tuple(asked.hold_out),
            peers=not asked.no_peers,
            alone=asked.alone,
        )
        outcomes = run_all(setting, list(_trials(asked)), asked.jobs)
    found = tables(outcomes, dict(FAMILIES))
    for one in found:
        sys.stdout.write(f"{one}\n")
    _write_cost(outcomes)
    if asked.json:
        told = [asdict(one) for one in outcomes]
        asked.json.write_text(json.dumps(told) + "\n", "utf-8")
    if asked.html:
        asked.html.write_text(page(outcomes, found, asked.sweep), "utf-8")


def run_all(setting: Setting, trials: Sequence[Trial], jobs: int) -> list[Outcome]:
    """In the order of `trials`; progress goes to standard error."""
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(jobs) as pool:
        running = [pool.submit(run_trial, setting, trial) for trial in trials]
        for number, (trial, future) in enumerate(zip(trials, running, strict=True), 1):
            outcomes += future.result()
            what = trial.name or "honest accounts only"
            sys.stderr.write(f"{number}/{len(trials)} {what}, seed {trial.seed}\n")
    return outcomes


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--policies", type=Path, action="append", default=[], metavar="PATH")
    add("--corpora", type=Path, metavar="DIR", help="by default a small grammar of our own")
    add("--campaign", action="append", default=[], metavar="NAME[:HOW]", help="by default all")
    add("--sweep", default="", metavar="NAME:KEY=V1,V2", help="one campaign with several values")
    add("--seeds", type=int, default=2)
    add("--first-seed", type=int, default=0)
    add("--scale", type=float, default=0.25, help="of the protocol's honest populations")
    add("--days", type=float, default=14)
    add("--without", action="append", default=[], metavar="ATTRIBUTE[:SHARE]")
    add("--hold-out", action="append", default=[], metavar="SOURCE", help="of the corpora")
    add("--each-source", action="store_true", help="each campaign with each harvested source")
    add("--alone", action="store_true", help="each behaviour by itself, too")
    add("--no-peers", action="store_true", help="neither the plain limiter nor honeypotllm")
    add("--jobs", type=int, default=2)
    add("--json", type=Path, metavar="FILE")
    add("--html", type=Path, metavar="FILE")
    add("--traffic", action="append", default=[], metavar="FILE")
    add("--decisions", type=Path, metavar="FILE", help="of gauger backtest, over this traffic")
    asked = parser.parse_args(arguments)
    if bool(asked.traffic) != bool(asked.decisions):
        parser.error("--traffic and --decisions go together")
    return asked


def _trials(asked: argparse.Namespace) -> Iterator[Trial]:
    campaigns = asked.campaign or list(FAMILIES)
    if asked.sweep:
        what, _, values = asked.sweep.rpartition("=")
        campaigns = [f"{what}={value}" for value in values.split(",")]
    if asked.each_source and asked.corpora:
        sources = sorted(from_directory(asked.corpora, without=asked.hold_out).harvest)
        campaigns = [_more(one, f"source={source}") for one in campaigns for source in sources]
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    for campaign in chain([HONEST_ONLY] if asked.scale else [], campaigns):
        for seed in seeds:
            yield Trial(campaign, seed)


def _more(campaign: str, part: str) -> str:
    return f"{campaign}{',' if ':' in campaign else ':'}{part}"


def _recorded(traffic: Sequence[str], decisions: Path) -> list[Outcome]:
    """The first week of the traffic is not counted, if it has more than one."""
    records = list(_pairs(traffic, decisions))
    first, last = records[0][0].at, records[-1][0].at
    test_from_s = first + CALIBRATION_DAYS * DAY_S
    measures = measured(records, test_from_s if test_from_s < last else first)
    names = [name for name in measures.campaigns if "/" not in name]
    return [outcome(Trial(name, 0), str(decisions), measures, name) for name in names or [""]]


def _pairs(traffic: Sequence[str], decisions: Path) -> Iterator[tuple[Record, Verdict]]:
    records = Traffic([TrafficSource(name) for name in traffic])
    with decisions.open("rb") as lines:
        exchanges = (one for one in records if isinstance(one, Record))  # and no live events
        for record, line in zip(exchanges, lines, strict=True):
            yield record, of_line(msgspec.json.decode(line))


def _write_cost(outcomes: Sequence[Outcome]) -> None:
    for engine in dict.fromkeys(one.engine for one in outcomes):
        told = [one.cpu_us for one in outcomes if one.engine == engine and one.cpu_us]
        if told:
            median, worst = max(one[0] for one in told), max(one[1] for one in told)
            sys.stdout.write(
                f"{engine}: {median:.0f} us an exchange in a replay, p99 {worst:.0f}\n"
            )


if __name__ == "__main__":
    main()

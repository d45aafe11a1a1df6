"""Runs scenarios one after the other and tells of each as soon as it has run."""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from gateway.cli.junit import junit_xml
from gateway.cli.reporting import console
from gateway.errors import OperatorError
from gateway.policy.quota import SECOND_US
from gateway.scenarios.files import read_stories
from gateway.scenarios.run import Ran, run_scenario
from gateway.scenarios.story import story as told_story
from gateway.scenarios.wording import counted, span


class NotWritable(OperatorError):
    """A file that a report was to go to."""


def run_tests(paths: Iterable[Path], *, junit: Path | None, story: bool, json: bool) -> bool:
    """All is as expected. Raises `OperatorError`."""
    stories = read_stories(paths)
    to = console(stderr=json)
    runs: list[Ran] = []
    for one in stories:
        ran = asyncio.run(run_scenario(one.located, one.policies))
        runs.append(ran)
        if not json:
            _show(ran, to, story=story)
    if junit is not None:
        _write(junit, junit_xml(runs))
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_as_json(runs))).decode() + "\n")
    else:
        _sum_up(runs, to)
    return all(ran.passed for ran in runs)


def _show(ran: Ran, to: Console, *, story: bool) -> None:
    title = ran.located.scenario.scenario
    if ran.passed:
        to.print(Text("ok   ", style="bold green") + Text(title) + Text(_size(ran), style="dim"))
    else:
        to.print(Text("FAIL ", style="bold red") + Text(title, style="bold"))
        for line in failures(ran):
            to.print(Text(f"     {line}"))
    if story or not ran.passed:
        for line in told_story(ran):
            to.print(Text(f"       {line}", style="dim" if ran.passed else ""))
        to.print()


def failures(ran: Ran) -> Iterator[str]:
    for one in ran.unmet:
        path = ("expect", one.at)
        yield f"{ran.located.where(path)}: expected {ran.located.written(path)}"
        yield f"  but {one.but}"


def _size(ran: Ran) -> str:
    requests = counted(ran.told.whole.sent, "request")
    return f"  {requests} in {span(ran.simulated_us)}, by the clock {ran.seconds:.2f} s"


def _sum_up(runs: list[Ran], to: Console) -> None:
    failed = sum(1 for ran in runs if not ran.passed)
    simulated = sum(ran.simulated_us for ran in runs)
    if unseen := unspoken(runs):
        names = ", ".join(unseen)
        to.print(Text(f"In no scenario these refuse anything: {names}", style="dim"))
    verdict = Text(f"{counted(failed, 'scenario')} failed", style="bold red")
    if not failed:
        verdict = Text("ok", style="bold green")
    seconds = sum(ran.seconds for ran in runs)
    to.print(
        verdict,
        f": {counted(len(runs), 'scenario')}, "
        f"{counted(sum(ran.told.whole.sent for ran in runs), 'request')}, "
        f"{simulated / SECOND_US / 86_400:.1f} simulated days in {seconds:.1f} s",
        sep="",
    )


def unspoken(runs: Iterable[Ran]) -> list[str]:
    """Quotas that no scenario ever saw refuse: what they do is untested."""
    known: dict[str, None] = {}
    spoke: set[str] = set()
    for ran in runs:
        known |= dict.fromkeys(quota.id for quota in ran.policies.quotas)
        spoke |= ran.told.spoke()
    return [quota for quota in known if quota not in spoke]


def _as_json(runs: list[Ran]) -> dict[str, Any]:
    return {
        "ok": all(ran.passed for ran in runs),
        "never_refusing": unspoken(runs),
        "scenarios": [_ran_as_json(ran) for ran in runs],
    }


def _ran_as_json(ran: Ran) -> dict[str, Any]:
    whole = ran.told.whole
    return {
        "scenario": ran.located.scenario.scenario,
        "where": ran.located.where(),
        "passed": ran.passed,
        "requests": whole.sent,
        "allowed": whole.allowed,
        "refused": whole.sent - whole.allowed,
        "simulated_seconds": ran.simulated_us // SECOND_US,
        "seconds": round(ran.seconds, 3),
        "unmet": [
            {
                "where": ran.located.where(("expect", one.at)),
                "expected": ran.located.written(("expect", one.at)),
                "but": one.but,
            }
            for one in ran.unmet
        ],
        "story": list(told_story(ran)),
    }


def _write(file: Path, content: bytes) -> None:
    """Raises `NotWritable`."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise NotWritable(f"--junit: {file}: {error.strerror}.") from error

"""Everything that is asked of a model, and whether it arrives and is charged as it was used."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.decision.finished import Finished
from gateway.demo.ledger import Entry, digest
from gateway.demo.scripts import Script, ToolCall
from tests.parts.gauger_inside import gauger_inside
from tests.parts.serving import serving
from tests.sdk_matrix.drivers import Driver, Outcome
from tests.sdk_matrix.whole_model_api import WholeModelApi

QUOTAS = """\
quotas:
  - id: requests
    why: Never reached here, yet counted and shown.
    limit: 10000 requests/minute
    per: account
  - id: tokens
    why: Never reached here, yet reserved and settled.
    limit: 10M tokens/day
    per: account
"""
PIECES = ("one", " two", " three")
CITY = ('{"city":', ' "Lund"}')
ZONE = '{"zone": "Europe/Stockholm"}'


TEXT = Script(pieces=PIECES, cached_tokens=1, reasoning_tokens=2)


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    script: Script = TEXT
    said: str | None = "one two three"
    choices: int = 1


TASKS = (
    Task("plain"),
    Task("stream"),
    Task("tools", Script(tool=ToolCall("clock", ZONE)), said=None),
    Task("tools, stream", Script(tool=ToolCall("clock", ZONE)), said=None),
    Task("image"),
    Task("choices", choices=2),
    Task("structured", Script(pieces=CITY), said='{"city": "Lund"}'),
    Task("responses"),
    Task("responses, stream"),
    Task("completions"),
    Task("completions, stream"),
    Task("embeddings", said=None),
    Task("count", said=None, choices=0),
)


@dataclass(frozen=True, slots=True)
class Answer:
    task: Task
    outcome: Outcome
    entry: Entry | None
    """In the model API's own books."""
    finished: Finished | None
    """In gauger's."""

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        said, entry, finished = self.outcome.said, self.entry, self.finished
        found = []
        if self.task.said is not None and said.text != self.task.said:
            found.append(f"it said {said.text!r}")
        if self.task.script.tool is not None and (
            said.tool != "clock" or json.loads(said.arguments or "{}") != json.loads(ZONE)
        ):
            found.append(f"it called {said.tool} with {said.arguments}")
        if self.task.choices != said.choices:
            found.append(f"{said.choices} choices")
        if entry is None or finished is None:
            return [*found, "nothing reached the model API"]
        if self.task.name != "count":
            used = (entry.input_tokens, entry.output_tokens)
            settled = finished.settlement
            if settled is None or settled.estimated:
                found.append("charged by an estimate")
            elif (settled.input_tokens, settled.output_tokens) != used:
                found.append(f"charged {settled.input_tokens}+{settled.output_tokens}, used {used}")
            if said.input_tokens is not None and (said.input_tokens, said.output_tokens) != used:
                found.append(f"it reports {said.input_tokens}+{said.output_tokens}, used {used}")
        return found

    @property
    def quota_names(self) -> list[str]:
        """By which names the program can read what remains."""
        headers = self.outcome.said.headers or {}
        return sorted(name for name in headers if "remaining" in name or name == "ratelimit")

    @property
    def text(self) -> str:
        """One cell of the table."""
        if self.outcome.cannot is not None:
            return "-"
        if self.outcome.problem is not None:
            return f"`{self.outcome.problem.name.rpartition('.')[2]}` {self.outcome.problem.status}"
        if self.faults:
            return "; ".join(self.faults)
        return "yes" if self.outcome.said.input_tokens is not None else "yes, usage not shown"


async def answers(task: Task, directory: Path, found: Mapping[str, Driver]) -> dict[str, Answer]:
    model = WholeModelApi()
    model.scripted.script = task.script
    policies = directory / "quotas.yaml"
    policies.write_text(QUOTAS)
    async with serving(model) as upstream, gauger_inside(policies, upstream) as inside:

        async def answer(client: str, driver: Driver) -> Answer:
            key = f"sk-{client.replace(' ', '-')}"
            outcome = await driver.ask(client, task.name.replace(",", ""), inside.url, key)
            if outcome.cannot is not None or outcome.problem is not None:
                return Answer(task, outcome, None, None)
            (finished,) = await inside.finished(key)
            mine = [e for e in model.scripted.ledger.entries if e.credential == digest(key)]
            return Answer(task, outcome, mine[0] if mine else None, finished)

        seen = await asyncio.gather(*(answer(client, driver) for client, driver in found.items()))
    return dict(zip(found, seen, strict=True))

"""The texts of a simulation: files of a directory that the operator names, or our own grammar.

One file is one source: JSON Lines, plain or gzip, known by its fields. `prompt` (or the first of
`turns`) is a request; with `template` beside it, it is a row of a pipeline; `msgs` and `history`
are sessions of agents. What a source is for is told by the folder it lies in: `extraction` is what
campaigns harvest, `batch` what pipelines run, `agents` what agents did, everything else what
people ask. Without such folders every second source is for campaigns. No text serves both sides.
"""

import gzip
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gateway.errors import OperatorError
from gateway.simulation import grammar
from gateway.simulation.draft import Turn
from gateway.simulation.texts import Texts, Topics, distinct
from gateway.source.wording import allowed_words, shown

LEAST_TEXTS = 50
"""A source with fewer is too small to be asked from for two weeks."""

HARVEST, PIPELINES, AGENTS = "extraction", "batch", "agents"
_MESSAGES = ("msgs", "history")
_MOST_CHARACTERS = 6_000
_MOST_TURNS = 24
_TURN_CHARACTERS = 1_500
_AFFIX_CHARACTERS = 12

Rows = list[dict[str, Any]]


class UnusableCorpora(OperatorError):
    """The directory, or a file in it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A pipeline's prompt: what stays, around what varies."""

    name: str
    prefix: str
    suffix: str
    middles: Texts

    def reworded(self, draw: random.Random) -> "Template":
        """The same for another customer, who wrote it in words of his own."""
        return replace(
            self,
            prefix=self.middles.vary(self.prefix, draw) if self.prefix else "",
            suffix=self.middles.vary(self.suffix, draw) if self.suffix else "",
        )

    def fill(self, draw: random.Random) -> str:
        return f"{self.prefix}{self.middles.vary(self.middles.any(draw), draw)}{self.suffix}"


@dataclass(frozen=True)
class Session:
    """What an agent did, or what would do as such."""

    system: str
    tools: tuple[str, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Corpora:
    chat: Texts
    templates: Sequence[Template]
    passages: Texts
    """Long texts: what is found, summarised, or stands in for an answer."""
    sessions: Sequence[Session]
    harvest: Mapping[str, Texts]
    """What campaigns ask, by source."""
    benchmark: Texts
    """What evaluations ask. Never a source that a campaign of the same run harvests."""
    passed_over: tuple[str, ...] = field(default=())
    """Files in which nothing was found that could be asked."""

    @cached_property
    def topics(self) -> Topics:
        return Topics(self.chat)

    def harvested(self, name: str) -> Texts:
        """By the name of the source. Raises `UnusableCorpora`."""
        if name in self.harvest:
            return self.harvest[name]
        raise UnusableCorpora(
            f"{shown(name)} is no source that a campaign can harvest here. "
            f"{allowed_words(name, self.harvest)}"
        )


def built_in() -> Corpora:
    """Our own texts: enough to rehearse with, and the same on every machine."""
    draw = random.Random("gauger/grammar")  # noqa: S311  variety
    chat = Texts("chat", distinct(grammar.question(draw) for _ in range(2_400)))
    passages = Texts("passages", distinct(grammar.passage(draw) for _ in range(500)))
    middles = Texts("rows", distinct(grammar.passage(draw, 3) for _ in range(600)))
    templates = [
        Template(f"pipeline-{at}", *grammar.pipeline(draw), middles=middles) for at in range(120)
    ]
    harvest = {
        name: Texts(name, distinct(make(draw) for _ in range(2_500)))
        for name, make in grammar.HARVESTS.items()
    }
    benchmark = Texts("benchmark", distinct(grammar.riddle(draw) for _ in range(800)))
    sessions = [Session(*grammar.session(draw)) for _ in range(60)]
    return Corpora(chat, templates, passages, sessions, harvest, benchmark)


def from_directory(directory: Path, *, without: Sequence[str] = ()) -> Corpora:
    """`without`: sources held out, by the names of their files. Raises `UnusableCorpora`.

    Where a directory has no texts of a kind, our own stand in.
    """
    if not directory.is_dir():
        raise UnusableCorpora(f"{directory} is no directory. Name one with JSON Lines files.")
    found: dict[Path, Rows] = {}
    passed_over = []
    for path in sorted(directory.rglob("*.jsonl*")):
        rows = _rows(path)
        if path.name.partition(".")[0] in without:
            continue
        if any(_is_usable(row) for row in rows[:20]):
            found[path.relative_to(directory)] = rows
        else:
            passed_over.append(str(path.relative_to(directory)))
    if not found:
        raise UnusableCorpora(
            f"{directory} holds no texts. Expected: *.jsonl or *.jsonl.gz files whose lines have "
            '"prompt", "turns", "msgs" or "history".'
        )
    return _together(found, tuple(passed_over))


def _together(found: Mapping[Path, Rows], passed_over: tuple[str, ...]) -> Corpora:
    own = built_in()
    sessions = [s for rows in found.values() for row in rows if (s := _session(row)) is not None]
    templates = [one for rows in found.values() for one in _templates(rows)]
    plain = {
        path: texts
        for path, rows in found.items()
        if not any("template" in row for row in rows[:5])
        and len(texts := distinct(_prompts(rows))) >= LEAST_TEXTS
    }
    harvest_paths = [path for path in plain if HARVEST in path.parts]
    if not harvest_paths and len(plain) > 1:
        harvest_paths = list(plain)[1::2]
    chat = [t for path, texts in plain.items() if path not in harvest_paths for t in texts]
    rows_of_pipelines = [m for one in templates for m in one.middles.items]
    harvest = {_name(path): Texts(_name(path), plain[path]) for path in harvest_paths}
    return Corpora(
        chat=Texts("chat", chat) if len(chat) >= LEAST_TEXTS else own.chat,
        templates=templates or own.templates,
        passages=(
            Texts("passages", rows_of_pipelines)
            if len(rows_of_pipelines) >= LEAST_TEXTS
            else own.passages
        ),
        sessions=sessions or own.sessions,
        harvest=harvest or own.harvest,
        benchmark=own.benchmark,
        passed_over=passed_over,
    )


def _name(path: Path) -> str:
    return path.name.partition(".")[0]


def _is_usable(row: object) -> bool:
    return isinstance(row, dict) and any(key in row for key in ("prompt", "turns", *_MESSAGES))


def _rows(path: Path) -> Rows:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError, EOFError) as error:
        raise UnusableCorpora(f"{path} cannot be read as JSON Lines: {error}.") from error
    return [row for row in rows if isinstance(row, dict)]


def _prompts(rows: Rows) -> Iterator[str]:
    for row in rows:
        turns = row.get("turns")
        text = row.get("prompt") or (turns[0] if isinstance(turns, list) and turns else None)
        if isinstance(text, str):
            yield text[:_MOST_CHARACTERS]


def _templates(rows: Rows) -> Iterator[Template]:
    by_name: dict[str, list[str]] = {}
    for row in rows:
        if isinstance(row.get("template"), str) and isinstance(row.get("prompt"), str):
            by_name.setdefault(row["template"], []).append(row["prompt"].strip())
    for name, prompts in by_name.items():
        known = distinct(prompts)
        if len(known) > 1:
            prefix, suffix = _affixes(known)
            end = -len(suffix) if suffix else None
            middles = distinct(prompt[len(prefix) : end] for prompt in known)
            yield Template(name, prefix, suffix, Texts(name, middles or known))


def _affixes(prompts: Sequence[str]) -> tuple[str, str]:
    """What all of them begin and end with, cut at a space; a few common letters are chance."""
    shortest = min(len(one) for one in prompts)
    first = prompts[0]
    length = 0
    while length < shortest and all(one[length] == first[length] for one in prompts):
        length += 1
    prefix = first[:length]
    prefix = prefix[: prefix.rfind(" ") + 1] if length >= _AFFIX_CHARACTERS else ""
    back = 0
    room = shortest - len(prefix)
    while back < room and all(one[-1 - back] == first[-1 - back] for one in prompts):
        back += 1
    suffix = first[len(first) - back :] if back >= _AFFIX_CHARACTERS else ""
    suffix = suffix[max(0, suffix.find(" ")) :]
    return prefix, suffix


def _session(row: dict[str, Any]) -> Session | None:
    messages = next((row[key] for key in _MESSAGES if isinstance(row.get(key), list)), None)
    if not messages or not all(isinstance(one, dict) for one in messages):
        return None
    system = str(messages[0].get("content") or "") if messages[0].get("role") == "system" else ""
    turns: list[Turn] = []
    tools: dict[str, None] = {}
    for message in messages[bool(system) : _MOST_TURNS]:
        role, text = message.get("role"), str(message.get("content") or "")[:_TURN_CHARACTERS]
        called = turns[-1].tool if turns and turns[-1].role == "assistant" else None
        tool = _tool_name(message) if role == "assistant" else None
        if role == "assistant" and tool is None and "```" in text:
            tool = "shell"  # transcripts of coding agents write their calls as text
        if called is not None:
            role, tool = "tool", called
        if role == "tool" and called is None:
            role = "user"
        if tool is not None:
            tools[tool] = None
        if role in ("user", "assistant", "tool") and (turns or role == "user"):
            turns.append(Turn(str(role), text, tool))
    if not any(turn.role == "assistant" for turn in turns):
        return None
    return Session(system[:8_000], tuple(tools), tuple(turns))


def _tool_name(message: dict[str, Any]) -> str | None:
    named = message.get("tool")
    if isinstance(named, list):
        named = named[0] if named else None
    if not isinstance(named, str):
        return None
    return re.sub(r"[^A-Za-z0-9_-]", "_", named)[:64] or None

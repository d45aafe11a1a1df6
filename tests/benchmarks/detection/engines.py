"""What is compared: policies through the replay engine, a plain limiter, and a peer's package."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import msgspec

from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy_directory import read_texts
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.replay.record import Record
from gateway.store.memory import MemoryStore
from tests.benchmarks.detection.verdicts import BLOCK, Verdict, of_judged

LIMITER = "plain limiter"
HONEYPOT = "honeypotllm"
_LIMITS = """
quotas:
  - {id: per-minute, why: "As every gateway has it.", limit: 60 requests/minute}
  - {id: per-day, why: "As every gateway has it.", limit: 2000 requests/day}
"""


class Engine(Protocol):
    async def judge(self, record: Record) -> Verdict: ...

    async def finish(self) -> None: ...


class PolicyEngine:
    """The code that serves, under a simulated clock."""

    def __init__(self, policies: Policies) -> None:
        clock = SimulatedClock()
        self._side = Side(policies, MemoryStore(clock), clock)
        self.cpu_s: list[float] = []
        """Of every sixteenth exchange, all that is done for it in a replay."""
        self._seen = 0

    async def judge(self, record: Record) -> Verdict:
        at_us = record.at_us
        self._seen += 1
        timed = self._seen % 16 == 0
        begun = time.perf_counter() if timed else 0.0
        taken = self._side.intake.take(record, at_us)
        verdict = of_judged(await self._side.arrive(record, at_us, taken))
        if timed:
            self.cpu_s.append(time.perf_counter() - begun)
        return verdict

    async def finish(self) -> None:
        await self._side.finish()


class HoneypotEngine:
    """Its scorer with its defaults, one state for each account; a flag counts as a block.

    That is generous: it marks answers with watermarks and refuses nothing.
    """

    def __init__(self) -> None:
        from honeypotllm import config, scoring  # noqa: PLC0415  a peer's, seldom installed

        self._clock = SimpleNamespace(time=self._time)
        scoring.time = self._clock
        scoring._MAX_TRACKED_KEYS = 10**9  # it would sort all keys for each request beyond
        self._scorer = scoring.SuspicionScorer(config.ScoringConfig())
        self._now_s = 0.0
        self.cpu_s: list[float] = []

    def _time(self) -> float:
        return self._now_s

    async def judge(self, record: Record) -> Verdict:
        self._now_s = record.at
        if record.account not in self._scorer._states:  # a new state reads the real clock
            state = self._scorer._get_or_create(record.account)
            state.last_seen = record.at
        scored = self._scorer.score_request(record.account, prompt=prompt(record))
        return Verdict(BLOCK if scored.should_honeypot else 0, allowed=True)

    async def finish(self) -> None:
        """It has nothing under way."""


def engines(policies: Mapping[str, Path], *, peers: bool, alone: bool) -> dict[str, Engine]:
    """`alone`: each behaviour of a directory by itself, too."""
    made: dict[str, Engine] = {}
    for name, path in policies.items():
        loaded = load(read_texts(path))
        made[name] = PolicyEngine(loaded)
        if alone:
            made |= {f"{name}: {key}": PolicyEngine(one) for key, one in _alone(loaded).items()}
    if peers:
        made[LIMITER] = PolicyEngine(load({"limits.yaml": _LIMITS}))
        if _installed():
            made[HONEYPOT] = HoneypotEngine()
    return made


def prompt(record: Record) -> str:
    """What the user said last, whatever the dialect."""
    body: Any = msgspec.json.decode(record.body)
    turns: Sequence[Any] = ()
    for key in ("messages", "contents", "input"):
        found = body.get(key)
        if isinstance(found, str):
            return found
        turns = found or turns
    return _text(turns[-1]) if turns else ""


def _text(turn: Any) -> str:
    if isinstance(turn, str):
        return turn
    if isinstance(turn, list):
        return " ".join(_text(part) for part in turn)
    if isinstance(turn, dict):
        return _text(next((turn[k] for k in ("content", "parts", "text") if turn.get(k)), ""))
    return ""


def _alone(policies: Policies) -> dict[str, Policies]:
    whole = policies.behaviours
    return {
        rule.id: replace(policies, behaviours=replace(whole, rules=(rule,))) for rule in whole.rules
    }


def _installed() -> bool:
    try:
        import honeypotllm  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True

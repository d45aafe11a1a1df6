"""Lines of a recording, with only what matters spelled out; and what replay makes of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.replay.clock import SimulatedClock
from gateway.replay.engine import Side
from gateway.replay.judged import Judged
from gateway.replay.run import replay
from gateway.replay.traffic import Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.store.memory import MemoryStore
from tests.replay.traffic_files import START_S, write

TEXTS = {"quotas.yaml": "quotas:\n  - {id: requests, why: w, limit: 2 requests/minute}\n"}
DIGEST = load(TEXTS).digest

Line = dict[str, Any]


def begin(at_s: float = 0.0, *, store: str = "memory", part: int = 0) -> list[Line]:
    return [
        event("begin", at_s, run="r", part=part, store=store, gauger="1"),
        in_force(at_s, TEXTS),
    ]


def in_force(at_s: float, texts: dict[str, str]) -> Line:
    return event("policies", at_s, digest=load(texts).digest, texts=texts)


def event(name: str, at_s: float, **more: Any) -> Line:
    return {"event": name, "at": START_S + at_s, **more}


def decided(
    at_s: float,
    name: str,
    used: int,
    *,
    verdict: str = "allow",
    digest: str = DIGEST,
    store: str = "ok",
    account: str = "acct_1",
    **more: Any,
) -> Line:
    """By the quota above; `used` is what its meter read."""
    fits = verdict == "allow"
    wait_us = 0 if fits else 60_937_500  # a window and a slice
    decision: Line = {
        "verdict": verdict,
        "policies": digest,
        "store": store,
        "input_tokens": 10,
        "output_tokens": 100,
        "declared": True,
        "readings": [["requests/sliding/requests/60", 1, 2, used, fits, fits, wait_us, 60_937_500]],
        "reasons": [] if fits else [["requests", "quota_exceeded", 0]],
        "binding": 0,
    }
    if not fits:
        decision |= {"refusal": "rate", "retry_after_us": wait_us}
    ask = {"model": "small", "input_tokens": 10, "max_output_tokens": 100}
    return {
        "at": START_S + at_s,
        "id": name,
        "account": account,
        "path": "/v1/chat/completions",
        "facts": {"route": "chat", "dialect": "openai", "ask": ask},
        "decision": decision,
        **more,
    }


def ended(at_s: float, name: str, **more: Any) -> Line:
    usage = {"input_tokens": 8, "output_tokens": 40}
    return event("end", at_s, id=name, **{"status": 200, "usage": usage, **more})


async def replayed(
    path: Path, lines: Iterable[Line], policies: Policies | None = None
) -> tuple[Side, list[Judged]]:
    """Under the recording's own policies, unless others are given."""
    write(path, lines)
    clock = SimulatedClock()
    judged: list[Judged] = []
    side = Side(
        policies or Policies(),
        MemoryStore(clock),
        clock,
        [judged.append],
        recorded_policies=policies is None,
    )

    async def tell(exchanges: int, at_us: int) -> None:
        del exchanges, at_us

    await replay(Traffic([TrafficSource(str(path))]), [side], tell)
    return side, judged

"""A crowd of callers before a whole gateway that records: they stream, leave, fail and come back.

Everything is drawn from a seed but the order of things, which is the event loop's. Time is what the
store's clock says, and a clock of the tests runs with each look at it.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.admission import Admission, Rules
from gateway.decision.port import OperatorStore
from gateway.errors import UpstreamTruncated
from gateway.facts.accounts import parse_accounts
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Secret
from gateway.identity.identities import Identities
from gateway.policy.parse import load
from gateway.proxy.asgi import Message, Receive, Scope, Send
from gateway.proxy.edge import EdgeLimits
from gateway.proxy.identify import Identifier
from gateway.proxy.middleware import Gateway
from gateway.recording import Recording
from gateway.telemetry import Telemetry
from gateway.wiring.told import Told
from tests.proxy.stage import DONE, JSON, SSE, chunk, head, piece

SECRET = Secret(b"the secret of the recorded crowd")
START_US = 1_780_000_000_000_000
ACCOUNTS = 6
DRAINED_S = 30.0

POLICIES = """\
prices:
  small*: {input: 1 USD, output: 4 USD}
  "*": {input: 3 USD, output: 15 USD}
quotas:
  - {id: requests, why: w, limit: [40 requests/minute, 400 requests/hour], warn_at: 80%}
  - {id: tokens, why: w, limit: 90k tokens/hour, window: calendar, scale: {free: 1, pro: 3}}
  - {id: output, why: w, limit: 20k output_tokens/minute, window: bucket, burst: 6k}
  - {id: slots, why: w, limit: 12 concurrent, per: account, lease: 30s}
  - {id: organization, why: w, limit: 120 requests/minute, per: organization}
  - {id: user, why: w, limit: 12 requests/minute, per: [account, end_user], missing: skip}
  - {id: spend, why: w, limit: 4 USD/day, per: organization}
  - {id: paced, why: w, limit: 20 requests/minute, window: bucket, burst: 5, mode: shadow}
  - {id: narrow, why: w, limit: [2k tokens/minute, 9 requests/minute], mode: shadow}
"""
OTHERS = POLICIES.replace("40 requests", "25 requests").replace("20k output", "15k output")


@dataclass
class RunningClock:
    """Goes on with each look at it, now and then by much."""

    rng: random.Random
    now_us: int = START_US

    def __call__(self) -> int:
        self.now_us += self.rng.choice((1, 700, 10_000, 30_000, 150_000))
        return self.now_us


class Model:
    """Answers as the question tells it to, over some turns of the loop."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        asked = json.loads((await receive())["body"])
        told = json.loads(asked["messages"][0]["content"])
        await turns(told["waits"])
        if told["ends"] == "error":
            await head(send, JSON, 500)
            await piece(send, b'{"error": {"message": "no"}}', more=False)
            return
        usage = {"prompt_tokens": told["read"], "completion_tokens": told["written"]}
        if not asked.get("stream"):
            answer: dict[str, Any] = {"id": "c", "choices": [], "model": asked["model"]}
            await head(send, JSON)
            written = json.dumps(answer | {"usage": usage} if told["tells"] else answer)
            await piece(send, written.encode(), more=False)
            return
        await head(send, SSE)
        for _ in range(told["chunks"]):
            await turns(told["waits"])
            await piece(send, chunk("word " * told["words"]))
        if told["ends"] == "cut":
            raise UpstreamTruncated("cut", sent=True)
        if told["tells"]:
            told_last = json.dumps({"choices": [], "usage": usage}).encode()
            await piece(send, b"data: " + told_last + b"\n\n")
        await piece(send, DONE, more=False)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def question(rng: random.Random) -> dict[str, Any]:
    told = {
        "waits": rng.randrange(6),
        "ends": rng.choices(("well", "error", "cut"), (8, 1, 1))[0],
        "read": rng.randrange(1, 400),
        "written": rng.randrange(1, 900),
        "tells": rng.random() < 0.8,
        "chunks": rng.randrange(1, 8),
        "words": rng.randrange(1, 300),
    }
    body: dict[str, Any] = {
        "model": rng.choice(("small", "large")),
        "messages": [{"role": "user", "content": json.dumps(told)}],
        "stream": rng.random() < 0.6,
    }
    if rng.random() < 0.6:
        body["max_tokens"] = rng.randrange(1, 900)
    if rng.random() < 0.5:
        body["user"] = rng.choice(("anna", "bert"))
    if rng.random() < 0.03:
        body["max_tokens"] = "many"  # what no policy ever sees
    return body


@dataclass
class Crowd:
    """One gateway. Several may share a store."""

    store: OperatorStore
    gateway: Gateway
    rules: Rules
    recording: Recording
    rng: random.Random
    statuses: list[int] = field(default_factory=list)

    async def caller(self, requests: int) -> None:
        """Sends one after the other; now and then it leaves in the middle."""
        for _ in range(requests):
            await turns(self.rng.randrange(30))
            await self._ask(question(self.rng), patience=self.rng.choice((None, None, None, 3)))

    async def reload(self, text: str) -> None:
        texts = {"quotas.yaml": text}
        policies = load(texts)
        self.rules.put_in_force(policies)
        self.recording.policies_in_force(policies.digest, texts)

    async def _ask(self, body: Mapping[str, Any], patience: int | None) -> None:
        unsent = [json.dumps(body).encode()]
        gone = asyncio.Event()
        number = self.rng.randrange(ACCOUNTS)
        seen = 0

        async def receive() -> Message:
            if unsent:
                return {"type": "http.request", "body": unsent.pop(), "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal seen
            await asyncio.sleep(0)
            seen += 1
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            if patience is not None and seen > patience:
                gone.set()

        headers = [(b"authorization", f"Bearer sk-{number}".encode())]
        await self.gateway(scope(headers), receive, send)


def scope(headers: list[tuple[bytes, bytes]]) -> Scope:
    path = "/v1/chat/completions"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("192.0.2.1", 40000),
        "server": ("192.0.2.9", 80),
    }


def identities() -> Identities:
    lines = ["accounts:"]
    for number in range(ACCOUNTS):
        key_hash = SECRET.credential_hash(f"sk-{number}")
        plan = ("free", "pro")[number % 2]
        lines += [
            f"  - id: acct-{number}",
            f"    plan: {plan}",
            f"    organization: org-{number % 2}",
            f"    attributes: {{payment: pm-{number % 3}, plan: shadowed, empty: ''}}",
            f"    keys: [{{hash: {key_hash}}}]",
        ]
    accounts = parse_accounts("\n".join(lines), "accounts.yaml", SECRET.fingerprint())
    return Identities(accounts, admits_unknown_keys=False)


@asynccontextmanager
async def crowd(
    store: OperatorStore,
    path: Path,
    *,
    kind: str,
    clock: Callable[[], int],
    seed: int = 1,
    **recorded: Any,
) -> AsyncIterator[Crowd]:
    """Records until the block ends. `recorded` goes to the recording."""
    texts = {"quotas.yaml": POLICIES}
    policies = load(texts)
    rules = Rules(policies)
    recording = Recording(path, store=kind, clock=clock, pseudonym=SECRET.pseudonym, **recorded)
    recording.policies_in_force(policies.digest, texts)
    ids = iter(range(1 << 40))
    gateway = Gateway(
        Model(),
        admission=Admission(
            store,
            rules,
            OutputEstimator(),
            lambda: f"unused-{next(ids)}",
            retry_jitter_us=500_000,
            journal=recording,
        ),
        identifier=Identifier(SECRET, identities()),
        telemetry=Told(Telemetry(), [recording.finished]),
        limits=EdgeLimits(),
        clock=clock,
        keep_body=recording.keep_body,
    )
    try:
        yield Crowd(store, gateway, rules, recording, random.Random(seed))
        assert await gateway.drain(DRAINED_S)
    finally:
        recording.close()

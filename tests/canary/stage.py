"""One gauger process with everything switched on that writes something, and all that it wrote."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gateway.facts.principal import Secret
from tests.canary.canaries import Canaries
from tests.canary.model import TellingModel
from tests.parts.gauger_process import ROOT, Gauger, gauger
from tests.parts.otlp_receiver import OtlpReceiver, otlp_receiver
from tests.parts.redis_servers import RedisServer, running
from tests.parts.serving import serving
from tests.parts.token_issuer import Signer, key_set

QUOTAS = """\
quotas:
  - id: requests
    why: The stage has room for the whole play.
    limit: 10_000 requests/minute
    per: account
  - id: few
    why: One account meets a limit.
    when: account.plan == "few"
    limit: 1 request/day
    per: account
  - id: tokens
    why: Estimates and settlements are kept, too.
    limit: 10M tokens/minute
    per: account
"""
SETTLED_S = 20.0
SIGNER = Signer()


@dataclass(slots=True)
class Stage:
    canaries: Canaries
    directory: Path
    running: Gauger
    model: TellingModel
    redis: RedisServer
    callers: httpx.AsyncClient
    operators: httpx.AsyncClient
    """With the admin token."""
    told: dict[str, str] = field(default_factory=dict)
    """Texts that somebody may read, by where they stand."""

    def tell(self, place: str, text: str) -> None:
        self.told[place] = self.told.get(place, "") + "\n" + text

    async def until_settled(self) -> None:
        """It is another process, and sets no event of ours."""
        async with asyncio.timeout(SETTLED_S):
            while True:
                if "gateway_inflight 0.0" in (await self.operators.get("/metrics")).text:
                    return
                await asyncio.sleep(0.05)

    async def look(self) -> None:
        """All that operators can look at while it runs."""
        await self.until_settled()
        for path in ("/", "/decisions", "/metrics", "/readyz", "/accounts/acme"):
            self.tell(path, (await self.operators.get(path)).text)
        self.tell("redis", dump(self.redis))


@asynccontextmanager
async def stage(directory: Path, canaries: Canaries) -> AsyncIterator[Stage]:
    """What its log, its spans and its files say is told when the block has ended."""
    secret = Secret(canaries["deployment secret"].encode())
    files = written(directory, canaries, secret)
    model = TellingModel(canaries)
    with running("valkey") as redis:
        async with otlp_receiver() as collector, serving(model) as upstream:
            async with (
                gauger(
                    directory / "policies",
                    upstream,
                    *files,
                    *("--upstream-key-env", "CANARY_UPSTREAM_KEY", "--log-allowed"),
                    *("--body-limit", "64KiB", "--guesses-per-minute", "1000"),
                    store=redis.url,
                    environ={
                        "GAUGER_SECRET": canaries["deployment secret"],
                        "GAUGER_ADMIN_TOKEN": canaries["admin token"],
                        "CANARY_UPSTREAM_KEY": canaries["upstream key"],
                        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                    },
                ) as process,
                httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=20.0) as callers,
                httpx.AsyncClient(
                    base_url=process.admin_url,
                    trust_env=False,
                    headers={"authorization": f"Bearer {canaries['admin token']}"},
                ) as operators,
            ):
                playing = Stage(canaries, directory, process, model, redis, callers, operators)
                yield playing
                await playing.look()
            playing.tell("log", "\n".join(process.log))
            playing.tell("spans", _spans(collector))
            for name in ("audit.jsonl", "record.jsonl"):
                playing.tell(name, (directory / name).read_text())


def written(directory: Path, canaries: Canaries, secret: Secret) -> list[str]:
    """The operator's files, and the flags that name them."""
    (directory / "policies").mkdir()
    (directory / "policies" / "quotas.yaml").write_text(QUOTAS)
    accounts = "".join(
        f"  - id: {name}\n    plan: {plan}\n"
        f"    keys: [{{hash: {secret.credential_hash(canaries[key])}}}]\n"
        for name, plan, key in (("acme", "pro", "key"), ("small", "few", "key of few"))
    )
    (directory / "accounts.yaml").write_text(
        f"secret: {secret.fingerprint()}\naccounts:\n{accounts}"
    )
    (directory / "keys.json").write_bytes(key_set(SIGNER.jwk))
    (directory / "identities.yaml").write_text(
        "jwt:\n  - issuer: https://login.example.com/\n    audience: gauger\n"
        "    jwks_file: keys.json\n"
    )
    return [
        *("--accounts", str(directory / "accounts.yaml")),
        *("--identities", str(directory / "identities.yaml")),
        *("--audit-log", str(directory / "audit.jsonl")),
        *("--record", str(directory / "record.jsonl")),
    ]


def dump(server: RedisServer) -> str:
    """Every key with its value, as text, whatever its kind."""
    with server.client() as client:
        read = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"set": client.smembers,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        }
        return "\n".join(
            f"{key!r} {read[client.type(key)](key)!r}" for key in client.scan_iter("*")
        )


def _spans(collector: OtlpReceiver) -> str:
    return "\n".join([*map(repr, collector.arrived), *map(repr, collector.bodies)])


async def command(*arguments: str, **variables: str) -> str:
    """What a command of gauger's prints, on both streams, whether or not it succeeds."""
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("GAUGER_", "OTEL_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=ROOT,
        env=environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return printed.decode()

"""No secret is in anything that gauger writes, whatever way it came and whatever came of it."""

import base64
import json
import time
from pathlib import Path

import httpx
import pytest

from tests.canary.canaries import Canaries
from tests.canary.requests import Sent, badly_made, credentials, dialects, well_made
from tests.canary.stage import SIGNER, Stage, command, stage
from tests.parts.token_issuer import Signer
from tests.replay.traffic_files import record, write

pytestmark = pytest.mark.slow

ADMIN = {"x-gauger-admin": "1"}

IS_THERE = {
    "log": ("acme", "upstream_fault"),
    "spans": ("gateway.request_id", "enduser.pseudo.id"),
    "/decisions": ("acme", "throttle"),
    "/": ("acme", "rejected", "not in force"),
    "/metrics": ("gateway_decisions_total", "requests"),
    "/readyz": ("ready",),
    "/accounts/acme": ("acme", "requests"),
    "redis": ("gauger:{",),
    "audit.jsonl": ("acme", "refused", "reload"),
    "record.jsonl": ("acme",),
    "commands": ("acme",),
    "backtest": ("requests",),
    "refusals": ("error",),
}
"""In each place something that shows that it is the place: what is empty leaks nothing."""


async def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    canaries = Canaries()
    async with stage(tmp_path, canaries) as playing:
        await guessers_play(playing)
        await callers_play(playing)
        await operators_play(playing)
        heard = b"".join(playing.model.heard).decode()
    await backtest(playing)
    for place, words in IS_THERE.items():
        assert all(word in playing.told[place] for word in words), place
    for what in ("prompt", "system prompt", "end user"):
        assert canaries[what] in heard
    assert len(canaries) > 20
    assert canaries.leaks(playing.told) == []


async def test_a_secret_that_is_written_is_found_wherever_it_comes_out(tmp_path: Path) -> None:
    """An operator's own words are written, of course: here they are a caller's prompt."""
    canaries = Canaries()
    async with stage(tmp_path, canaries) as playing:
        asked = {"why": f"He asked {canaries['prompt'][3:30]}"}
        answer = await playing.operators.post("/accounts/acme/block", json=asked, headers=ADMIN)
        assert answer.status_code == 200
        good = {"authorization": f"Bearer {canaries['key']}"}
        for path, body in dialects(canaries, "plain-model"):
            await send(playing, Sent(path, json.dumps(body).encode()), good)
    found = {(leak.place, leak.what) for leak in canaries.leaks(playing.told)}
    assert {place for place, _ in found} >= {"audit.jsonl", "log", "/accounts/acme", "redis"}
    assert {what for _, what in found} == {"prompt"}


async def callers_play(playing: Stage) -> None:
    canaries = playing.canaries
    good = {"authorization": f"Bearer {canaries['key']}"}
    for sent in well_made(canaries):
        await send(playing, sent, good)
    for sent in badly_made(canaries):
        answer = await send(playing, sent, good)
        playing.tell("refusals", said(answer))
    few = {"authorization": f"Bearer {canaries['key of few']}"}
    for path, body in dialects(canaries, "plain-model"):
        await send(playing, Sent(path, json.dumps(body).encode()), few)
    enormous = {
        "model": "m",
        "max_tokens": 20_000_000,
        "messages": [{"role": "user", "content": canaries["prompt"]}],
    }
    answer = await send(playing, Sent("/v1/chat/completions", json.dumps(enormous).encode()), good)
    playing.tell("refusals", said(answer))
    token = canaries.adopt("signed token", SIGNER.token(exp=int(time.time()) + 600))
    for path, body in dialects(canaries, "plain-model"):
        sent = Sent(path, json.dumps(body).encode())
        await send(playing, sent, {"authorization": f"Bearer {token}"})


async def guessers_play(playing: Stage) -> None:
    canaries = playing.canaries
    thief = Signer(name="thief")
    tokens = {
        "forged token": thief.token(exp=int(time.time()) + 600),
        "expired token": SIGNER.token(exp=int(time.time()) - 600),
        "token with a secret claim": SIGNER.token(aud=canaries["claim"]),
    }
    for what, token in tokens.items():
        canaries.adopt(what, token)
    guesses = [
        *credentials(canaries, "unknown key"),
        *({"authorization": f"Bearer {token}"} for token in tokens.values()),
    ]
    for headers in guesses:
        for path, body in dialects(canaries, "plain-model"):
            answer = await send(playing, Sent(path, json.dumps(body).encode()), headers)
            assert answer is None or answer.status_code in (400, 401, 431)
            playing.tell("refusals", said(answer))


async def operators_play(playing: Stage) -> None:
    canaries, operators = playing.canaries, playing.operators
    wrong = canaries["wrong admin token"]
    basic = base64.b64encode(f"{canaries['name']}:{wrong}".encode()).decode()
    for authorization in (f"Bearer {wrong}", f"Basic {basic}", wrong):
        for path in ("/", "/decisions", f"/{wrong}", f"/accounts/{wrong}", f"/?token={wrong}"):
            answer = await operators.get(path, headers={"authorization": authorization})
            assert answer.status_code == 401
            playing.tell("refusals", said(answer))
    for deed, asked in (("block", {"why": "A test."}), ("unblock", {}), ("reset", {})):
        await operators.post(f"/accounts/acme/{deed}", json=asked, headers=ADMIN)
    await pasted_keys(playing)
    for token in ("admin token", "wrong admin token"):
        told = await command(
            *("account", "show", "acme", "--admin", playing.running.admin_url),
            GAUGER_ADMIN_TOKEN=canaries[token],
        )
        playing.tell("commands", told)


async def pasted_keys(playing: Stage) -> None:
    """An operator puts a key where its hash belongs, and a token where an issuer does."""
    operators, pasted = playing.operators, playing.canaries["pasted"]
    for name, text in {
        "accounts.yaml": f"accounts:\n  - id: x\n    keys: [{{hash: {pasted}}}]\n",
        "identities.yaml": f"jwt:\n  - issuer: {pasted}\n",
        "keys.json": json.dumps({"keys": [{"kty": "oct", "k": pasted}]}),
    }.items():
        file = playing.directory / name
        before = file.read_text()
        file.write_text(text)
        answer = await operators.post("/reload", headers=ADMIN)
        assert answer.status_code == 422
        playing.tell("refusals", answer.text)
        playing.tell("/", (await operators.get("/")).text)
        file.write_text(before)
        await operators.post("/reload", headers=ADMIN)


async def backtest(playing: Stage) -> None:
    """Of recorded traffic that holds whole prompts, and of the command that shows accounts."""
    canaries, directory = playing.canaries, playing.directory
    traffic = write(
        directory / "traffic.jsonl",
        [
            record(at, path=path, body=body, headers={"authorization": canaries["recorded key"]})
            for at, (path, body) in enumerate(dialects(canaries, "plain-model"))
        ],
    )
    policies = str(directory / "policies")
    page, decisions = directory / "report.html", directory / "decisions.jsonl"
    for more in ((), ("--json",), ("--html", str(page)), ("--decisions", str(decisions))):
        told = await command("backtest", "--policies", policies, str(traffic), *more)
        playing.tell("backtest", told)
    playing.tell("backtest", page.read_text())
    playing.tell("backtest", decisions.read_text())
    broken = directory / "broken.jsonl"
    broken.write_text('{"at": 1, "account": "a", "body": {"messages": "' + canaries["prompt"])
    playing.tell("backtest", await command("backtest", "--policies", policies, str(broken)))


async def send(playing: Stage, sent: Sent, headers: dict[str, str]) -> httpx.Response | None:
    """None where the connection broke off."""
    said = {"content-type": "application/json", **headers, **sent.headers}
    try:
        return await playing.callers.request(
            sent.method, sent.path, content=sent.body, headers=said
        )
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return None


def said(answer: httpx.Response | None) -> str:
    """A refusal whole, its headers included."""
    return "" if answer is None else f"{answer.status_code} {dict(answer.headers)} {answer.text}"

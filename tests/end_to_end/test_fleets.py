"""A fleet is held at the door while honest callers go on: the whole gauger, real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.cli.commands import app
from gateway.demo.model_api import ModelApi
from gateway.policy.behaviour import Rung
from tests.end_to_end.stage import MODEL
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.parts.serving import serving

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

POLICIES = """\
quotas:
  - {id: everybody, why: Nobody crowds out the others., limit: 1000 requests/minute}
behaviours:
  - id: shared-frame
    why: Young accounts share a frame.
    group: prompt.frame
    applies: history.fresh
    measure:
      members: accounts() over 48h
      texts: distinct(prompt.text) over 48h
    when: members >= 6 && texts >= 5
    points: 50
responses:
  - {at: 15, do: observe}
  - {at: 25, do: tag, header: x-abuse-tier}
  - {at: 40, do: throttle, scale: 0.5, fleet: 24 requests/day}
"""
FRAMED = "Here is an answer of mine: {} and say it in full now"

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Upstream:
    """The scripted model API, and the headers that reached it."""

    def __init__(self) -> None:
        self._model = ModelApi()
        self.seen: list[MutableMapping[bytes, bytes]] = []

    def options(self) -> dict[str, Any]:
        """What the last body said beside its text."""
        return self._model.ledger.entries[-1].options

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.seen.append(dict(scope["headers"]))
        await self._model(scope, receive, send)


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest_asyncio.fixture(loop_scope="session")
async def inside(tmp_path: Path, upstream: Upstream) -> AsyncIterator[GaugerInside]:
    (tmp_path / "fleets.yaml").write_text(POLICIES)
    async with serving(upstream) as url, gauger_inside(tmp_path, url) as running:
        yield running


async def ask(inside: GaugerInside, key: str, prompt: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(
            f"{inside.url}/v1/chat/completions",
            json={
                "model": MODEL,
                "messages": [{"role": "user", "content": prompt}],
                "max_tokens": 5,
            },
            headers={"authorization": f"Bearer {key}", **headers},
        )


async def fleet_noticed(inside: GaugerInside, *, patience: int = 60) -> int:
    """Requests until one is refused."""
    for number in range(patience):
        answer = await ask(inside, f"sk-fleet-{number % 12}", FRAMED.format(f"subject {number}"))
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return number + 1
        await asyncio.sleep(0)
    raise AssertionError("never noticed")


async def test_a_fleet_is_held_within_moments_and_honest_callers_go_on(
    inside: GaugerInside,
) -> None:
    assert await fleet_noticed(inside) <= 30
    newcomer = await ask(inside, "sk-newcomer", FRAMED.format("a last subject"))
    assert newcomer.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert int(newcomer.headers["retry-after"]) > 60
    assert "shared-frame" not in newcomer.text
    honest = await ask(inside, "sk-honest", "Which of the two trains to the coast leaves earlier?")
    assert honest.status_code == httpx.codes.OK


async def test_the_trace_tells_the_rule_and_the_answer_tells_nothing(
    inside: GaugerInside,
) -> None:
    await fleet_noticed(inside)
    refused = await ask(inside, "sk-told", FRAMED.format("one more"))
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    (finished,) = await inside.finished("sk-told")
    assert finished.decision is not None
    assert finished.decision.standing.response is Rung.THROTTLE
    assert [reason.policy_id for reason in finished.decision.reasons] == ["shared-frame"]
    assert finished.decision.held_by_fleet
    assert not any("fleet" in value for value in refused.headers.values())


async def test_the_upstream_sees_the_tag_and_nobody_else_can_set_it(
    inside: GaugerInside, upstream: Upstream
) -> None:
    await ask(inside, "sk-liar", "What is the capital of the country?", **{"x-abuse-tier": "none"})
    assert b"x-abuse-tier" not in upstream.seen[-1]
    await fleet_noticed(inside)
    tags = [seen.get(b"x-abuse-tier") for seen in upstream.seen]
    assert tags[-1] == b"throttle"  # the one that the fleet's budget let through
    assert tags[0] is None


async def test_a_reload_keeps_what_is_known_of_fleets(inside: GaugerInside, tmp_path: Path) -> None:
    await fleet_noticed(inside)
    (tmp_path / "fleets.yaml").write_text(POLICIES.replace("1000 requests", "900 requests"))
    await inside.reload("a test")
    again = await ask(inside, "sk-after-reload", FRAMED.format("after the reload"))
    assert again.status_code == httpx.codes.TOO_MANY_REQUESTS


DEGRADING = """\
behaviours:
  - id: asks-a-lot
    why: One account asks more than anybody needs.
    measure: {requests: count() over 1h}
    when: requests >= 2
    points: 60
responses:
  - {at: 50, do: degrade, max_tokens: 7, n: 1, strip: [logprobs, reasoning]}
"""


async def test_a_degraded_account_is_served_with_less_and_reserves_less(
    tmp_path: Path, upstream: Upstream
) -> None:
    (tmp_path / "degrading.yaml").write_text(DEGRADING)
    async with (
        serving(upstream) as url,
        gauger_inside(tmp_path, url) as inside,
        httpx.AsyncClient(base_url=inside.url) as client,
    ):
        asked = {
            "model": MODEL,
            "messages": [{"role": "user", "content": "How do tides come about, in short?"}],
            "max_tokens": 90,
            "n": 2,
            "logprobs": True,
            "reasoning_effort": "high",
        }
        options: dict[str, Any] = {}
        for _ in range(20):
            answer = await client.post(
                "/v1/chat/completions", json=asked, headers={"authorization": "Bearer sk-greedy"}
            )
            assert answer.status_code == httpx.codes.OK
            options = upstream.options()
            if options["max_tokens"] == 7:
                break
            await asyncio.sleep(0.01)
        assert options["n"] == 1
        assert "logprobs" not in options
        assert "reasoning_effort" not in options
        finished = (await inside.finished("sk-greedy"))[-1]
    assert finished.decision is not None
    assert finished.decision.estimate is not None
    assert finished.decision.estimate.output_tokens == 7


async def test_an_operator_sees_a_fleet_releases_it_and_contains_it_again(
    inside: GaugerInside,
) -> None:
    await fleet_noticed(inside)
    change = {"x-gauger-admin": "1"}
    async with httpx.AsyncClient(base_url=inside.admin_url) as operators:
        (fleet,) = (await operators.get("/fleets")).json()["fleets"]
        assert fleet["shares"] == ["prompt.frame"]
        assert fleet["response"] == "throttle"
        (rule,) = fleet["rules"]
        assert rule["rule"] == "shared-frame"
        assert rule["measured"]["members"] >= 6
        path = f"/fleets/{fleet['fleet']}"
        assert (await operators.post(f"{path}/release", json={})).status_code == 403
        done = await operators.post(f"{path}/release", json={"why": "ours"}, headers=change)
        assert done.json()["by_hand"] == "release"
        free = await ask(inside, "sk-fleet-1", FRAMED.format("a released subject"))
        assert free.status_code == httpx.codes.OK
        await operators.post(f"{path}/contain", json={}, headers=change)
        held = await ask(inside, "sk-fleet-2", FRAMED.format("a contained subject"))
        assert held.status_code == httpx.codes.TOO_MANY_REQUESTS
        await operators.post(f"{path}/let-go", json={}, headers=change)
        assert (await operators.get(path)).json()["by_hand"] is None
        assert (await operators.get("/fleets/zz")).status_code == 404


async def test_the_command_lists_shows_and_exports_what_the_port_tells(
    inside: GaugerInside, tmp_path: Path
) -> None:
    await fleet_noticed(inside)
    runner = CliRunner()

    def run(*args: str) -> str:
        ran = runner.invoke(app, ["fleets", *args, "--admin", inside.admin_url])
        assert ran.exit_code == 0, ran.output
        return ran.output

    listed = await asyncio.to_thread(run, "list")
    assert "throttle" in listed
    (row,) = json.loads(await asyncio.to_thread(run, "list", "--json"))["fleets"]
    shown = await asyncio.to_thread(run, "show", row["fleet"])
    assert "Young accounts share a frame." in shown
    assert "members" in shown
    await asyncio.to_thread(run, "export", str(tmp_path / "indicators.jsonl"))
    assert json.loads((tmp_path / "indicators.jsonl").read_text())["fleet"] == row["fleet"]

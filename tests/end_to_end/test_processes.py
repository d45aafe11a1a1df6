"""gauger as processes: several on one store, started badly, stopped kindly, read from outside."""

import asyncio
from pathlib import Path

import httpx
import openai
import pytest

from gateway.demo.scripts import Gate, Script
from tests.end_to_end.stage import MODEL, POLICIES, WORDS, Stage
from tests.parts.gauger_process import STOP_S, DidNotStart, gauger
from tests.parts.raw_server import unused_port
from tests.parts.redis_servers import KINDS, running
from tests.parts.two_sdks import openai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

LIMIT = 5


async def admitted(url: str, key: str) -> bool:
    async with openai_sdk(url, key) as client:
        try:
            await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}], max_tokens=5
            )
        except openai.RateLimitError:
            return False
        return True


@pytest.mark.parametrize("kind", KINDS)
async def test_two_gaugers_on_one_store_admit_together_what_one_would(
    stage: Stage, kind: str
) -> None:
    policies = POLICIES / "five-a-minute.yaml"
    with running(kind) as server:
        async with (
            gauger(policies, stage.url, store=server.url) as one,
            gauger(policies, stage.url, store=server.url) as other,
        ):
            door = stage.door()
            answers = await asyncio.gather(
                *(admitted(url, door.key) for url in (one.url, other.url) * 10)
            )
            assert answers.count(True) == LIMIT
            assert len(door.model.ledger.served) == LIMIT
            assert not await admitted(one.url, door.key)
            assert not await admitted(other.url, door.key)


async def test_a_store_that_is_away_at_start_refuses_and_says_why(stage: Stage) -> None:
    nowhere = f"redis://127.0.0.1:{unused_port()}/0"
    async with gauger(POLICIES / "generous.yaml", stage.url, store=nowhere) as running:
        door = stage.door(running)
        async with door.openai() as client:
            with pytest.raises(openai.InternalServerError) as raised:
                await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": WORDS}]
                )
        assert (raised.value.status_code, raised.value.code) == (503, "gateway_unavailable")
        assert raised.value.response.headers["retry-after"] == "1"
        assert door.model.ledger.entries == []
    assert any("The store does not answer" in line for line in running.log)


async def test_policies_with_mistakes_do_not_start_and_are_located(
    stage: Stage, tmp_path: Path
) -> None:
    policy = tmp_path / "wrong.yaml"
    policy.write_text("quotas:\n  - id: tokens\n    limit: 5 bananas/minute\n    per: acount\n")
    with pytest.raises(DidNotStart) as raised:
        async with gauger(policy, stage.url):
            pass
    assert raised.value.exit_code == 1
    assert "wrong.yaml:3:" in raised.value.said
    assert "wrong.yaml:4:" in raised.value.said
    assert 'Did you mean "account"' in raised.value.said


async def test_what_was_charged_can_be_read_at_the_admin_port(stage: Stage) -> None:
    door = await stage.behind("generous")
    assert door.gauger is not None
    async with door.openai() as client:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], n=2
        )
    (decision,) = await door.gauger.decisions(door.key, 1)
    entry = await door.model.ledger.ended(0)
    assert decision["settled_tokens"] == entry.input_tokens + entry.output_tokens
    assert decision["settlement"] == "reported"
    assert decision["request_id"] == answer._request_id


async def test_no_key_and_no_word_of_a_prompt_is_logged(stage: Stage) -> None:
    async with gauger(POLICIES / "five-a-minute.yaml", stage.url, "--log-allowed") as running:
        door = stage.door(running)
        said = "a sentence about cormorants"
        async with door.openai() as client:
            for _ in range(LIMIT):
                await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": said}]
                )
            with pytest.raises(openai.RateLimitError):
                await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": said}]
                )
        await running.decisions(door.key, LIMIT + 1)
    log = "\n".join(running.log)
    assert log.count("five-a-minute") >= LIMIT + 1
    assert door.key not in log
    assert "cormorants" not in log


async def test_a_stream_that_flows_at_sigterm_is_finished(stage: Stage) -> None:
    gate = Gate()
    async with gauger(POLICIES / "generous.yaml", stage.url, "--shutdown-grace", "20s") as running:
        door = stage.door(running)
        door.model.script = Script(pieces=("one", " two"), gate=gate)
        async with door.openai() as client:
            gate.let(2)
            stream = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
            )
            await anext(stream)
            running.process.terminate()
            gate.open()
            said = [chunk.choices[0].delta.content async for chunk in stream]
        assert said == ["one", " two", None]
        assert await running.process.wait() == 0


async def test_while_it_drains_the_admin_port_says_so_and_a_second_signal_cuts(
    stage: Stage,
) -> None:
    gate = Gate()
    async with gauger(POLICIES / "generous.yaml", stage.url, "--shutdown-grace", "1h") as running:
        door = stage.door(running)
        door.model.script = Script(pieces=("one", " two"), gate=gate)
        async with door.openai() as client, httpx.AsyncClient(trust_env=False) as operators:
            gate.let(2)
            stream = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
            )
            await anext(stream)
            running.process.terminate()
            assert "1" in await running.said("Stopping", "second")
            answer = await operators.get(f"{running.admin_url}/readyz")
            assert answer.status_code == 503
            assert "stopping" in answer.json()["reason"]
            running.process.terminate()
            with pytest.raises(openai.APIError):
                _ = [chunk async for chunk in stream]
        async with asyncio.timeout(STOP_S):
            assert await running.process.wait() == 0
        assert "Traceback" not in "\n".join(running.log)

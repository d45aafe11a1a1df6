"""Quotas that override others, and crowds, as callers and operators see them."""

import asyncio
from pathlib import Path

import httpx
import openai
import pytest

from gateway.demo.model_api import ModelApi
from gateway.demo.scripts import Gate, Script
from tests.end_to_end.stage import MODEL, WORDS
from tests.parts.gauger_inside import gauger_inside
from tests.parts.serving import serving
from tests.parts.two_sdks import openai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

POLICIES = """\
quotas:
  - id: everybody
    why: Keep one account from crowding out the others.
    limit: 1 request/hour
  - id: streams
    why: Streams are cheap here, and have an allowance of their own.
    when: request.stream
    limit: 2 requests/hour
    overrides: everybody
  - id: whatever-happens
    why: More than this the model servers cannot take.
    limit: 4 requests/hour
    always: true
"""
KEY = "sk-exception-of-the-tests"


async def test_an_exception_is_held_to_its_own_limit_and_the_rest_to_the_rule(
    tmp_path: Path,
) -> None:
    (tmp_path / "quotas.yaml").write_text(POLICIES)
    async with (
        serving(ModelApi()) as url,
        gauger_inside(tmp_path, url) as inside,
        openai_sdk(inside.url, KEY) as client,
    ):

        async def chat(*, stream: bool) -> str:
            answer = await client.chat.completions.with_raw_response.create(
                model=MODEL,
                messages=[{"role": "user", "content": WORDS}],
                max_tokens=5,
                stream=stream,
            )
            if isinstance(read := answer.parse(), openai.AsyncStream):
                async for _ in read:
                    pass
            return answer.headers["ratelimit-policy"]

        assert '"streams"' not in await chat(stream=False)
        for _ in range(2):
            shown = await chat(stream=True)
            assert '"streams";q=2' in shown
            assert '"everybody"' not in shown
        with pytest.raises(openai.RateLimitError, match="Limit of 2 requests an hour"):
            await chat(stream=True)
        with pytest.raises(openai.RateLimitError, match="Limit of 1 request an hour"):
            await chat(stream=False)
        *_, last, _ = await inside.finished(KEY, 5)
        assert last.decision is not None
        assert [tuple(one) for one in last.decision.overridden] == [("everybody", "streams")]


async def test_a_crowd_is_parted_and_who_waits_as_told_is_served(tmp_path: Path) -> None:
    (tmp_path / "quotas.yaml").write_text(
        "quotas: [{id: all, why: B., limit: 1 request/second, per: route}]"
    )
    async with (
        serving(ModelApi()) as url,
        gauger_inside(tmp_path, url, retry_jitter_s=1.0) as inside,
        httpx.AsyncClient(base_url=inside.url) as client,
    ):
        body = {
            "model": MODEL,
            "messages": [{"role": "user", "content": WORDS}],
            "max_tokens": 5,
        }
        headers = {"authorization": f"Bearer {KEY}-crowd"}

        async def chat() -> httpx.Response:
            return await client.post("/v1/chat/completions", json=body, headers=headers)

        assert (await chat()).status_code == 200
        answers = [await chat() for _ in range(8)]
        waits_ms = [int(one.headers["retry-after-ms"]) for one in answers if one.is_error]
        assert len(set(waits_ms)) > 1
        assert all(0 < wait_ms <= 2_016 for wait_ms in waits_ms)
        while not (last := await chat()).is_error:  # on a machine that stood still for a second
            pass
        await asyncio.sleep(int(last.headers["retry-after-ms"]) / 1_000)
        assert (await chat()).status_code == 200
        for one in answers:
            if one.is_error:
                whole = int(one.headers["retry-after"])
                assert whole == -(-int(one.headers["retry-after-ms"]) // 1_000)
                assert f";t={whole}" in one.headers["ratelimit"]
                assert f"Retry in {whole} s." in one.json()["error"]["message"]


async def test_a_gauger_that_is_full_says_so_and_when_to_come_back(tmp_path: Path) -> None:
    (tmp_path / "quotas.yaml").write_text("quotas: [{id: all, why: B., limit: 100/day}]")
    model = ModelApi()
    async with (
        serving(model) as url,
        gauger_inside(tmp_path, url, max_exchanges=1) as inside,
        openai_sdk(inside.url, f"{KEY}-full") as client,
    ):
        gate = Gate()
        model.then(Script(gate=gate))
        gate.let(2)
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        await anext(stream)
        with pytest.raises(openai.InternalServerError) as raised:
            await client.models.list()
        assert raised.value.status_code == 503
        assert raised.value.code == "gateway_overloaded"
        assert raised.value.response.headers["retry-after"] == "1"
        gate.open()
        async for _ in stream:
            pass
        await inside.finished(f"{KEY}-full")
        assert (await client.models.list()).data

"""Loops of agents, held by the sessions that the SDKs' own callers name."""

from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import openai
import pytest
import pytest_asyncio

from gateway.demo.model_api import ModelApi
from tests.end_to_end.stage import MODEL, WORDS
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.parts.serving import serving
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

POLICIES = """\
quotas:
  - id: rounds
    why: A loop that has lost its way stops by itself.
    limit: 2 requests/day
    per: [account, session]
    missing: skip
"""
KEY = "sk-agent-of-the-tests"


@pytest_asyncio.fixture(loop_scope="session")
async def inside(tmp_path: Path) -> AsyncIterator[GaugerInside]:
    (tmp_path / "quotas.yaml").write_text(POLICIES)
    async with serving(ModelApi()) as url, gauger_inside(tmp_path, url) as running:
        yield running


async def test_a_loop_of_chats_is_stopped_after_its_rounds_and_other_work_goes_on(
    inside: GaugerInside,
) -> None:
    async with openai_sdk(inside.url, KEY) as client:

        async def chat(header: str | None = None, field: str | None = None) -> None:
            await client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": WORDS}],
                max_tokens=5,
                extra_headers={"x-session-id": header} if header else None,
                extra_body={"session_id": field} if field else None,
            )

        for _ in range(2):
            await chat("loop-canary")
        with pytest.raises(openai.RateLimitError, match="Limit of 2 requests a day"):
            await chat("loop-canary")
        await chat("another")
        await chat(field="a third")
        for _ in range(3):
            await chat()
    ended = await inside.finished(KEY, 8)
    assert [finished.ask.session for finished in ended if finished.ask][:3] == ["loop-canary"] * 3


async def test_a_coding_agents_session_is_read_where_it_writes_it(inside: GaugerInside) -> None:
    async with anthropic_sdk(inside.url, KEY + "-2") as client:

        async def message(session: str) -> None:
            await client.messages.create(
                model=MODEL,
                max_tokens=5,
                messages=[{"role": "user", "content": WORDS}],
                metadata={"user_id": f"user_01_account_02_session_{session}"},
            )

        for _ in range(2):
            await message("0a")
        with pytest.raises(anthropic.RateLimitError):
            await message("0a")
        await message("0b")


async def test_a_session_that_is_none_is_a_bad_request_that_names_it(inside: GaugerInside) -> None:
    async with openai_sdk(inside.url, KEY + "-3") as client:
        with pytest.raises(openai.BadRequestError, match="session_id") as raised:
            await client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": WORDS}],
                extra_body={"session_id": 7},
            )
    assert raised.value.param == "session_id"

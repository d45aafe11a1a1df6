"""Both SDKs talk through gauger to a real model, and are charged what its engine counted."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest

from tests.parts.gauger_process import Gauger
from tests.parts.model_engine import CONTEXT_TOKENS, MODEL, Counters, Engine
from tests.parts.two_sdks import anthropic_sdk, openai_sdk

pytestmark = [
    pytest.mark.realmodel,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("realmodel"),
    pytest.mark.timeout(150),
]

THINKING_S = 120.0
"""For a model on a machine that does other things, too."""
SAID: list[Any] = [{"role": "user", "content": "Say hello"}]
ZONE = {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}, "required": ["zone"]}


class Account:
    """One key, what it was charged, and what the engine counted meanwhile."""

    def __init__(self, key: str, gauger: Gauger, engine: Engine, before: Counters) -> None:
        self._key, self._gauger, self._engine, self._before = key, gauger, engine, before

    async def charged(self) -> int:
        (decision,) = await self._gauger.decisions(self._key, 1)
        assert decision["settlement"] == "reported"
        charged: int = decision["settled_tokens"]
        return charged

    async def counted(self) -> Counters:
        await self._engine.idle()
        return await self._engine.counters() - self._before


@asynccontextmanager
async def chatting(
    key: str, gauger: Gauger, engine: Engine
) -> AsyncIterator[tuple[openai.AsyncOpenAI, Account]]:
    async with openai_sdk(gauger.url, key, timeout_s=THINKING_S) as client:
        yield client, Account(key, gauger, engine, await engine.counters())


@asynccontextmanager
async def writing(
    key: str, gauger: Gauger, engine: Engine
) -> AsyncIterator[tuple[anthropic.AsyncAnthropic, Account]]:
    async with anthropic_sdk(gauger.url, key, timeout_s=THINKING_S) as client:
        yield client, Account(key, gauger, engine, await engine.counters())


async def test_a_chat_is_charged_what_the_engine_counted(
    before_engine: Gauger, engine: Engine
) -> None:
    async with chatting("sk-chat", before_engine, engine) as (client, account):
        answer = await client.chat.completions.create(model=MODEL, messages=SAID, max_tokens=12)
        counted = await account.counted()
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == counted.input_tokens
        assert answer.usage.completion_tokens == counted.output_tokens
        assert await account.charged() == answer.usage.total_tokens


async def test_a_streamed_chat_is_charged_what_the_engine_counted(
    before_engine: Gauger, engine: Engine
) -> None:
    async with chatting("sk-chat-stream", before_engine, engine) as (client, account):
        stream = await client.chat.completions.create(
            model=MODEL, messages=SAID, max_tokens=12, stream=True
        )
        chunks = [chunk async for chunk in stream]
        counted = await account.counted()
        assert await account.charged() == counted.input_tokens + counted.output_tokens
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).strip()
    assert chunks[-1].choices[0].finish_reason in {"stop", "length"}


async def test_several_streamed_choices_are_charged_what_the_engine_counted(
    before_engine: Gauger, engine: Engine
) -> None:
    """This engine closes each choice with a usage chunk of its own."""
    async with chatting("sk-choices", before_engine, engine) as (client, account):
        stream = await client.chat.completions.create(
            model=MODEL, messages=SAID, max_tokens=6, n=2, stream=True
        )
        chunks = [chunk async for chunk in stream]
        counted = await account.counted()
        assert await account.charged() == counted.input_tokens + counted.output_tokens
    assert all(chunk.choices for chunk in chunks)
    assert {chunk.choices[0].index for chunk in chunks} == {0, 1}


async def test_a_message_is_charged_what_the_engine_counted(
    before_engine: Gauger, engine: Engine
) -> None:
    async with writing("sk-message", before_engine, engine) as (client, account):
        message = await client.messages.create(model=MODEL, messages=SAID, max_tokens=12)
        counted = await account.counted()
        assert await account.charged() == counted.input_tokens + counted.output_tokens
    assert message.usage.output_tokens == counted.output_tokens
    cached = message.usage.cache_read_input_tokens or 0
    assert message.usage.input_tokens + cached == counted.input_tokens


async def test_a_streamed_message_is_charged_what_the_engine_counted(
    before_engine: Gauger, engine: Engine
) -> None:
    async with writing("sk-message-stream", before_engine, engine) as (client, account):
        async with client.messages.stream(model=MODEL, messages=SAID, max_tokens=12) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            message = await stream.get_final_message()
        counted = await account.counted()
        assert await account.charged() == counted.input_tokens + counted.output_tokens
    assert text.strip()
    assert message.usage.output_tokens == counted.output_tokens


async def test_a_tool_is_called_through_the_openai_sdk(
    before_engine: Gauger, engine: Engine
) -> None:
    function = {"name": "get_time", "description": "The time.", "parameters": ZONE}
    tools: list[Any] = [{"type": "function", "function": function}]
    said: list[Any] = []
    for zone in ("UTC", "CET"):  # so small a model has to be shown
        arguments = json.dumps({"zone": zone})
        call = {"name": "get_time", "arguments": arguments}
        calls = [{"id": zone, "type": "function", "function": call}]
        said += [{"role": "user", "content": f"Time in {zone}?"}]
        said += [{"role": "assistant", "content": None, "tool_calls": calls}]
    said += [{"role": "user", "content": "Time in UTC?"}]
    async with chatting("sk-tools", before_engine, engine) as (client, account):
        async with client.chat.completions.stream(
            model=MODEL,
            messages=said,
            tools=tools,
            tool_choice="required",
            max_tokens=100,
            temperature=0,
        ) as stream:
            choice = (await stream.get_final_completion()).choices[0]
        counted = await account.counted()
        assert await account.charged() == counted.input_tokens + counted.output_tokens
    called = [call.function for call in choice.message.tool_calls or []]
    assert [(c.name, json.loads(c.arguments)) for c in called] == [("get_time", {"zone": "UTC"})]


async def test_a_tool_is_called_through_the_anthropic_sdk(
    before_engine: Gauger, engine: Engine
) -> None:
    tools: list[Any] = [{"name": "get_time", "description": "The time.", "input_schema": ZONE}]
    said: list[Any] = []
    for zone in ("UTC", "CET"):
        use = {"type": "tool_use", "id": zone, "name": "get_time", "input": {"zone": zone}}
        said += [{"role": "user", "content": f"Time in {zone}?"}]
        said += [{"role": "assistant", "content": [use]}]
    said += [{"role": "user", "content": "Time in UTC?"}]
    async with writing("sk-tool-use", before_engine, engine) as (client, account):
        message = await client.messages.create(
            model=MODEL,
            messages=said,
            tools=tools,
            tool_choice={"type": "any"},
            max_tokens=100,
            extra_body={"temperature": 0},
        )
        counted = await account.counted()
        assert await account.charged() == counted.input_tokens + counted.output_tokens
    used = [(b.name, b.input) for b in message.content if b.type == "tool_use"]
    assert used == [("get_time", {"zone": "UTC"})]


async def test_counted_tokens_are_those_that_a_message_is_charged_for(
    before_engine: Gauger, engine: Engine
) -> None:
    async with writing("sk-count", before_engine, engine) as (client, _):
        counted = await client.messages.count_tokens(model=MODEL, messages=SAID)
        message = await client.messages.create(model=MODEL, messages=SAID, max_tokens=1)
    cached = message.usage.cache_read_input_tokens or 0
    assert counted.input_tokens == message.usage.input_tokens + cached


async def test_an_abandoned_stream_stops_the_engine(before_engine: Gauger, engine: Engine) -> None:
    async with chatting("sk-abandoned", before_engine, engine) as (client, account):
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Count from one to a thousand."}],
            max_tokens=1500,
            stream=True,
            extra_body={"ignore_eos": True},
        )
        for _ in range(3):
            await anext(stream)
        await stream.close()
        counted = await account.counted()
        (decision,) = await before_engine.decisions("sk-abandoned", 1)
    assert counted.output_tokens < 1500
    assert decision["ending"] == "client_left"
    assert decision["settlement"] == "delivered"


async def test_its_own_error_passes_and_costs_no_tokens(
    before_engine: Gauger, engine: Engine
) -> None:
    too_long: list[Any] = [{"role": "user", "content": "hello " * CONTEXT_TOKENS}]
    async with chatting("sk-error", before_engine, engine) as (client, account):
        with pytest.raises(openai.BadRequestError) as raised:
            await client.chat.completions.create(model=MODEL, messages=too_long, max_tokens=5)
        (decision,) = await before_engine.decisions("sk-error", 1)
        assert await account.counted() == Counters(0, 0)
    assert raised.value.type == "exceed_context_size_error"
    assert (decision["settlement"], decision["settled_tokens"]) == ("released", 0)

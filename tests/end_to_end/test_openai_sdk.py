"""The openai SDK sees no difference between the model API and gauger in front of it."""

import asyncio
import json

import openai
import pytest
from openai.types.chat import ChatCompletionFunctionToolParam

from gateway.demo.ledger import Ending
from gateway.demo.scripts import Fault, Gate, Script, ToolCall
from tests.end_to_end.stage import MODEL, WORDS, Door

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

CLOCK: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "clock",
        "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
    },
}


async def test_a_chat_is_answered(door: Door) -> None:
    door.model.script = Script(pieces=("Hello", " you"), cached_tokens=1, reasoning_tokens=3)
    async with door.openai() as client:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}]
        )
    assert answer.choices[0].message.content == "Hello you"
    assert answer._request_id
    assert answer.usage is not None
    entry = await door.model.ledger.ended(0)
    assert answer.usage.prompt_tokens == entry.input_tokens
    assert answer.usage.completion_tokens == entry.output_tokens == 5


async def test_a_stream_arrives_event_by_event(door: Door) -> None:
    gate = Gate()
    door.model.script = Script(pieces=("one", " two", " three"), gate=gate)
    async with door.openai() as client:
        gate.let(2)  # the head and the opening chunk
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        await anext(stream)
        for piece in ("one", " two", " three"):
            gate.let(1)  # the next piece is not even written before this one was read
            assert (await anext(stream)).choices[0].delta.content == piece
        gate.open()
        rest = [chunk async for chunk in stream]
    assert [chunk.choices[0].finish_reason for chunk in rest] == ["stop"]
    assert (await door.model.ledger.ended(0)).ending is Ending.COMPLETED


async def test_who_did_not_ask_for_usage_sees_none(door: Door) -> None:
    async with door.openai() as client:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


async def test_who_asked_for_usage_gets_it_last(door: Door) -> None:
    async with door.openai() as client:
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": WORDS}],
            stream=True,
            stream_options={"include_usage": True},
        )
        *chunks, last = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert last.usage is not None
    entry = await door.model.ledger.ended(0)
    assert last.usage.completion_tokens == entry.output_tokens
    assert last.usage.prompt_tokens == entry.input_tokens


async def test_several_choices_are_several_answers(door: Door) -> None:
    async with door.openai() as client:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], n=3, max_tokens=4
        )
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": WORDS}],
            n=3,
            max_tokens=4,
            stream=True,
        )
        streamed = ["", "", ""]
        async for chunk in stream:
            for choice in chunk.choices:
                streamed[choice.index] += choice.delta.content or ""
    said = [choice.message.content or "" for choice in answer.choices]
    assert said == streamed
    assert [len(words.split()) for words in said] == [4, 4, 4]
    assert len(set(said)) == 3
    assert [entry.output_tokens for entry in door.model.ledger.entries] == [12, 12]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_called_with_all_its_arguments(door: Door, streamed: bool) -> None:
    door.model.script = Script(tool=ToolCall("clock", '{"zone": "Europe/Stockholm"}'))
    async with door.openai() as client:
        asked = client.chat.completions
        if streamed:
            async with asked.stream(
                model=MODEL, messages=[{"role": "user", "content": WORDS}], tools=[CLOCK]
            ) as stream:
                choice = (await stream.get_final_completion()).choices[0]
            calls = choice.message.tool_calls or []
            called = [(call.function.name, call.function.arguments) for call in calls]
            reason = choice.finish_reason
        else:
            plain = await asked.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}], tools=[CLOCK]
            )
            called = [
                (call.function.name, call.function.arguments)
                for call in plain.choices[0].message.tool_calls or []
                if call.type == "function"
            ]
            reason = plain.choices[0].finish_reason
    assert [(name, json.loads(text)) for name, text in called] == [
        ("clock", {"zone": "Europe/Stockholm"})
    ]
    assert reason == "tool_calls"


async def test_the_models_are_listed(door: Door) -> None:
    async with door.openai() as client:
        listed = [model.id async for model in client.models.list()]
    assert listed == list(door.model.models)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
async def test_the_models_own_errors_pass_untouched(
    door: Door, status: int, error: type[openai.APIStatusError]
) -> None:
    fault = Fault("some_error", "Said by the model API itself.", "some_code")
    door.model.script = Script(status=status, fault=fault, headers={"retry-after": "17"})
    async with door.openai() as client:
        with pytest.raises(error) as raised:
            await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}]
            )
    assert (raised.value.type, raised.value.code) == ("some_error", "some_code")
    assert "itself" in raised.value.message
    assert raised.value.response.headers["retry-after"] == "17"
    assert raised.value.request_id


@pytest.mark.parametrize(("say_stop", "attempts"), [(False, 3), (True, 1)])
async def test_it_retries_as_often_as_it_would_alone(
    door: Door, say_stop: bool, attempts: int
) -> None:
    headers = {"retry-after-ms": "1", **({"x-should-retry": "false"} if say_stop else {})}
    fault = Fault("server_error", "Not now")
    door.model.script = Script(status=503, fault=fault, headers=headers)
    async with door.openai(max_retries=2) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": WORDS}]
            )
    assert len(door.model.ledger.entries) == attempts


async def test_an_abandoned_stream_stops_the_model(door: Door) -> None:
    gate = Gate()
    door.model.script = Script(gate=gate)
    async with door.openai() as client:
        gate.let(4)
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        for _ in range(3):
            await anext(stream)
        await stream.close()
        async with asyncio.timeout(5):
            entry = await door.model.ledger.ended(0)
    assert (entry.ending, entry.delivered_tokens) == (Ending.CLIENT_LEFT, 2)


async def test_an_error_in_mid_stream_is_raised(door: Door) -> None:
    fault = Fault("server_error", "It broke", "broken")
    door.model.script = Script(fault=fault, fault_after=3)
    async with door.openai() as client:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        with pytest.raises(openai.APIError, match="It broke") as raised:
            [chunk async for chunk in stream]
    assert raised.value.code == "broken"

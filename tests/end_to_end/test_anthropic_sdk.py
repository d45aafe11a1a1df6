"""The anthropic SDK sees no difference between the model API and gauger in front of it."""

import asyncio

import anthropic
import pytest
from anthropic.types import Message, MessageParam, ToolParam, ToolUseBlock

from gateway.demo.ledger import Ending
from gateway.demo.scripts import Fault, Gate, Script, ToolCall
from tests.end_to_end.stage import MODEL, WORDS, Door

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

CLOCK: ToolParam = {"name": "clock", "input_schema": {"type": "object", "required": ["zone"]}}


async def test_a_message_is_answered(door: Door) -> None:
    door.model.script = Script(pieces=("Hello", " you"), cached_tokens=2, reasoning_tokens=3)
    async with door.anthropic() as client:
        message = await client.messages.create(
            model=MODEL, max_tokens=50, messages=[{"role": "user", "content": WORDS}]
        )
    assert [block.text for block in message.content if block.type == "text"] == ["Hello you"]
    assert message._request_id
    entry = await door.model.ledger.ended(0)
    assert message.usage.input_tokens == entry.input_tokens - 2
    assert message.usage.output_tokens == entry.output_tokens == 5


async def test_a_stream_arrives_event_by_event(door: Door) -> None:
    gate = Gate()
    door.model.script = Script(pieces=("one", " two", " three"), gate=gate)
    async with door.anthropic() as client:
        gate.let(4)  # the head, the start, the block, the ping
        stream = await client.messages.create(
            model=MODEL, max_tokens=50, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        kinds = [(await anext(stream)).type, (await anext(stream)).type]
        for piece in ("one", " two", " three"):
            gate.let(1)  # the next piece is not even written before this one was read
            event = await anext(stream)
            assert event.type == "content_block_delta"
            assert event.delta.type == "text_delta"
            assert event.delta.text == piece
        gate.open()
        kinds += [event.type async for event in stream]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (await door.model.ledger.ended(0)).ending is Ending.COMPLETED


async def test_a_stream_adds_up_to_the_message(door: Door) -> None:
    async with (
        door.anthropic() as client,
        client.messages.stream(
            model=MODEL, max_tokens=6, messages=[{"role": "user", "content": WORDS}]
        ) as stream,
    ):
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()
    assert len(text.split()) == message.usage.output_tokens == 6
    assert message.stop_reason == "max_tokens"
    assert (await door.model.ledger.ended(0)).output_tokens == 6


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_is_called_with_all_its_arguments(door: Door, streamed: bool) -> None:
    door.model.script = Script(tool=ToolCall("clock", '{"zone": "Europe/Stockholm"}'))
    said: MessageParam = {"role": "user", "content": WORDS}
    message: Message
    async with door.anthropic() as client:
        asked = client.messages
        if streamed:
            async with asked.stream(
                model=MODEL, max_tokens=50, messages=[said], tools=[CLOCK]
            ) as stream:
                message = await stream.get_final_message()
        else:
            message = await asked.create(model=MODEL, max_tokens=50, messages=[said], tools=[CLOCK])
    called = [(b.name, b.input) for b in message.content if isinstance(b, ToolUseBlock)]
    assert called == [("clock", {"zone": "Europe/Stockholm"})]
    assert message.stop_reason == "tool_use"


async def test_tokens_are_counted_without_writing_any(door: Door) -> None:
    async with door.anthropic() as client:
        counted = await client.messages.count_tokens(
            model=MODEL, messages=[{"role": "user", "content": WORDS}]
        )
        message = await client.messages.create(
            model=MODEL, max_tokens=5, messages=[{"role": "user", "content": WORDS}]
        )
    assert counted.input_tokens == message.usage.input_tokens
    assert [entry.number for entry in door.model.ledger.served] == [1]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.InternalServerError),
    ],
)
async def test_the_models_own_errors_pass_untouched(
    door: Door, status: int, error: type[anthropic.APIStatusError]
) -> None:
    fault = Fault("some_error", "Said by the model API itself.")
    door.model.script = Script(status=status, fault=fault, headers={"retry-after": "17"})
    async with door.anthropic() as client:
        with pytest.raises(error, match="itself") as raised:
            await client.messages.create(
                model=MODEL, max_tokens=50, messages=[{"role": "user", "content": WORDS}]
            )
    assert raised.value.body == {
        "type": "error",
        "error": {"type": "some_error", "message": "Said by the model API itself."},
    }
    assert raised.value.response.headers["retry-after"] == "17"
    assert raised.value.request_id


@pytest.mark.parametrize(("say_stop", "attempts"), [(False, 3), (True, 1)])
async def test_it_retries_as_often_as_it_would_alone(
    door: Door, say_stop: bool, attempts: int
) -> None:
    headers = {"retry-after-ms": "1", **({"x-should-retry": "false"} if say_stop else {})}
    fault = Fault("overloaded_error", "Not now")
    door.model.script = Script(status=529, fault=fault, headers=headers)
    async with door.anthropic(max_retries=2) as client:
        with pytest.raises(anthropic.InternalServerError):
            await client.messages.create(
                model=MODEL, max_tokens=50, messages=[{"role": "user", "content": WORDS}]
            )
    assert len(door.model.ledger.entries) == attempts


async def test_an_abandoned_stream_stops_the_model(door: Door) -> None:
    gate = Gate()
    door.model.script = Script(gate=gate)
    async with door.anthropic() as client:
        gate.let(6)
        stream = await client.messages.create(
            model=MODEL, max_tokens=50, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        while (await anext(stream)).type != "content_block_delta":
            pass
        await anext(stream)
        await stream.close()
        async with asyncio.timeout(5):
            entry = await door.model.ledger.ended(0)
    assert (entry.ending, entry.delivered_tokens) == (Ending.CLIENT_LEFT, 2)


async def test_an_error_in_mid_stream_is_raised(door: Door) -> None:
    door.model.script = Script(fault=Fault("overloaded_error", "It broke"), fault_after=5)
    async with door.anthropic() as client:
        stream = await client.messages.create(
            model=MODEL, max_tokens=50, messages=[{"role": "user", "content": WORDS}], stream=True
        )
        with pytest.raises(anthropic.APIStatusError, match="It broke"):
            [event async for event in stream]

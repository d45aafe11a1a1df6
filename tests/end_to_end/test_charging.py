"""What is charged in the end is what the model API has in its own books, however it ends."""

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from gateway.decision.finished import Ending, Finished
from gateway.decision.plan import Estimate
from gateway.decision.settlement import Basis, Settlement
from gateway.demo.ledger import Entry
from gateway.demo.scripts import Fault, Gate, JsonObject, Script, ToolCall, silent
from gateway.facts.estimate import output_tokens
from tests.end_to_end.stage import MODEL, WORDS, Door, Stage
from tests.parts.gauger_inside import GaugerInside

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]

SAID: list[Any] = [{"role": "user", "content": WORDS}]
WORD = "word"
SCRIPTS = [
    pytest.param(Script(), id="text"),
    pytest.param(Script(tool=ToolCall("clock", '{"zone": "UTC"}')), id="tool"),
    pytest.param(Script(cached_tokens=4), id="cached"),
    pytest.param(Script(reasoning_tokens=30), id="reasoning"),
]


class Charging:
    """The model API's books on one side, gauger's on the other."""

    def __init__(self, door: Door, inside: GaugerInside) -> None:
        self._door = door
        self._inside = inside

    def follow(self, script: Script) -> None:
        self._door.model.script = script

    async def chat(self, **fields: Any) -> None:
        async with self._door.openai() as client:
            answer = await client.chat.completions.create(model=MODEL, messages=SAID, **fields)
            if fields.get("stream"):
                [chunk async for chunk in answer]

    async def message(self, **fields: Any) -> None:
        async with self._door.anthropic() as client:
            asked = {"model": MODEL, "messages": SAID, "max_tokens": 60, **fields}
            answer = await client.messages.create(**asked)
            if fields.get("stream"):
                [event async for event in answer]

    async def abandon_chat(self, chunks: int) -> None:
        async with self._door.openai() as client:
            stream = await client.chat.completions.create(model=MODEL, messages=SAID, stream=True)
            for _ in range(chunks):
                await anext(stream)
            await stream.close()

    async def abandon_message(self, events: int) -> None:
        async with self._door.anthropic() as client:
            stream = await client.messages.create(
                model=MODEL, messages=SAID, max_tokens=60, stream=True
            )
            for _ in range(events):
                await anext(stream)
            await stream.close()

    async def ask_without_tokens(self) -> None:
        async with self._door.anthropic() as client:
            await client.messages.count_tokens(model=MODEL, messages=SAID)
        async with self._door.openai() as other:
            await other.models.list()

    async def entry(self) -> Entry:
        return await self._door.model.ledger.ended(0)

    async def finished(self, count: int = 1) -> list[Finished]:
        return await self._inside.finished(self._door.key, count)

    async def settlement(self) -> Settlement:
        (finished,) = await self.finished()
        assert finished.settlement is not None
        return finished.settlement

    async def estimate(self) -> Estimate:
        (finished,) = await self.finished()
        assert finished.decision is not None
        assert finished.decision.estimate is not None
        return finished.decision.estimate

    async def agrees_with_the_books(self) -> bool:
        settlement, entry = await self.settlement(), await self.entry()
        (finished,) = await self.finished()
        return (
            (settlement.input_tokens, settlement.output_tokens)
            == (entry.input_tokens, entry.output_tokens)
            and settlement.basis is Basis.REPORTED
            and finished.ending is Ending.COMPLETED
        )


@pytest_asyncio.fixture(loop_scope="session")
async def charging(stage: Stage) -> Charging:
    return Charging(*await stage.before())


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 3])
async def test_a_chat_is_charged_by_the_books(
    charging: Charging, script: Script, stream: bool, n: int
) -> None:
    charging.follow(script)
    await charging.chat(stream=stream, n=n)
    assert await charging.agrees_with_the_books()


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_message_is_charged_by_the_books(
    charging: Charging, script: Script, stream: bool
) -> None:
    charging.follow(script)
    await charging.message(stream=stream)
    assert await charging.agrees_with_the_books()


async def test_a_client_that_asks_for_usage_itself_is_charged_alike(charging: Charging) -> None:
    await charging.chat(stream=True, stream_options={"include_usage": True})
    assert await charging.agrees_with_the_books()


async def test_the_parts_of_the_usage_are_told_apart(charging: Charging) -> None:
    charging.follow(Script(cached_tokens=3, reasoning_tokens=7))
    await charging.chat()
    await charging.message()
    chat, message = [f.settlement for f in await charging.finished(2) if f.settlement]
    assert chat.usage.cached_tokens == message.usage.cached_tokens == 3
    assert chat.usage.reasoning_tokens == 7


async def test_the_declared_ceiling_is_reserved_and_no_more_is_charged(charging: Charging) -> None:
    await charging.chat(n=2, max_tokens=4)
    assert (await charging.estimate()).output_tokens == 8
    assert (await charging.settlement()).output_tokens == 8
    assert await charging.agrees_with_the_books()


async def test_an_abandoned_chat_is_charged_for_its_input_and_what_was_delivered(
    charging: Charging,
) -> None:
    gate = Gate()
    charging.follow(Script(pieces=(WORD,) * 9, gate=gate))
    gate.let(5)  # the head, the opening, three words
    await charging.abandon_chat(chunks=4)
    assert (await charging.entry()).delivered_tokens == 3
    settlement = await charging.settlement()
    assert settlement.basis is Basis.DELIVERED
    assert settlement.input_tokens == (await charging.estimate()).input_tokens
    assert settlement.output_tokens == output_tokens(len(WORD * 3))
    assert (await charging.finished())[0].ending is Ending.CLIENT_LEFT


async def test_an_abandoned_message_is_charged_for_its_input_and_what_was_delivered(
    charging: Charging,
) -> None:
    gate = Gate()
    charging.follow(Script(pieces=(WORD,) * 9, gate=gate))
    gate.let(7)  # the head, the start, the block, the ping, three words
    await charging.abandon_message(events=5)
    entry, settlement = await charging.entry(), await charging.settlement()
    assert entry.delivered_tokens == 3
    assert settlement.basis is Basis.DELIVERED
    assert settlement.input_tokens == entry.input_tokens  # this dialect tells it at the start
    assert settlement.output_tokens == output_tokens(len(WORD * 3))
    assert (await charging.finished())[0].ending is Ending.CLIENT_LEFT


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_the_model_api_costs_no_tokens(charging: Charging, stream: bool) -> None:
    charging.follow(Script(status=529, fault=Fault("overloaded_error", "Too busy")))
    with pytest.raises(anthropic.InternalServerError):
        await charging.message(stream=stream)
    settlement = await charging.settlement()
    assert settlement.basis is Basis.RELEASED
    assert (settlement.input_tokens, settlement.output_tokens) == (0, 0)


def nonsense(_usage: JsonObject) -> JsonObject:
    return {"prompt_tokens": -7, "completion_tokens": "many", "input_tokens": 1.5}


@pytest.mark.parametrize("report", [silent, nonsense])
@pytest.mark.parametrize("stream", [False, True])
async def test_usage_that_is_missing_or_nonsense_is_estimated_from_the_text(
    charging: Charging, report: Callable[[JsonObject], JsonObject | None], stream: bool
) -> None:
    charging.follow(Script(pieces=(WORD,) * 20, report=report))
    await charging.chat(stream=stream)
    settlement = await charging.settlement()
    assert settlement.basis is Basis.DELIVERED
    assert settlement.input_tokens == (await charging.estimate()).input_tokens
    assert settlement.output_tokens == output_tokens(len(WORD * 20))


async def test_a_truncated_stream_is_an_error_and_charged_for_what_was_delivered(
    charging: Charging,
) -> None:
    charging.follow(Script(pieces=(WORD,) * 9, truncate_after=5))
    with pytest.raises(openai.APIError, match="broke off"):
        await charging.chat(stream=True)
    settlement = await charging.settlement()
    assert settlement.basis is Basis.DELIVERED
    assert settlement.output_tokens == output_tokens(len(WORD * 4))
    assert (await charging.finished())[0].ending is Ending.UPSTREAM_TRUNCATED


async def test_what_no_model_writes_costs_no_tokens(charging: Charging) -> None:
    await charging.ask_without_tokens()
    for finished in await charging.finished(2):
        settlement = finished.settlement
        assert settlement is None or settlement.input_tokens == settlement.output_tokens == 0

"""What a caller of the Gemini API is charged is what the model API has in its own books."""

import asyncio

import pytest
from google.genai.types import GenerateContentConfig

from gateway.decision.finished import Ending
from gateway.decision.settlement import Basis, Settlement
from gateway.demo.scripts import Gate, Script, ToolCall, silent
from gateway.facts.estimate import output_tokens
from tests.end_to_end.stage import MODEL, WORDS, Door, Stage
from tests.parts.gauger_inside import GaugerInside
from tests.parts.genai_sdk import genai_sdk

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("end_to_end")]


async def settlement(door: Door, inside: GaugerInside) -> Settlement:
    (finished,) = await inside.finished(door.key)
    assert finished.settlement is not None
    return finished.settlement


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("candidates", [1, 3])
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(), id="text"),
        pytest.param(Script(tool=ToolCall("clock", '{"zone": "UTC"}')), id="tool"),
        pytest.param(Script(cached_tokens=4), id="cached"),
        pytest.param(Script(reasoning_tokens=30), id="reasoning"),
    ],
)
async def test_an_answer_is_charged_by_the_books(
    stage: Stage, script: Script, candidates: int, streamed: bool
) -> None:
    door, inside = await stage.before()
    door.model.script = script
    config = GenerateContentConfig(candidate_count=candidates)
    async with genai_sdk(door.url, door.key) as client:
        if streamed:
            stream = await client.models.generate_content_stream(
                model=MODEL, contents=WORDS, config=config
            )
            [chunk async for chunk in stream]
        else:
            await client.models.generate_content(model=MODEL, contents=WORDS, config=config)
    entry = await door.model.ledger.ended(0)
    settled = await settlement(door, inside)
    assert settled.basis is Basis.REPORTED
    assert (settled.input_tokens, settled.output_tokens) == (
        entry.input_tokens,
        entry.output_tokens,
    )


async def test_all_thoughts_and_no_text_is_charged_by_the_books(stage: Stage) -> None:
    """The ceiling is reached before a word is said; the API leaves out the zero."""
    door, inside = await stage.before()
    door.model.script = Script(reasoning_tokens=30)
    async with genai_sdk(door.url, door.key) as client:
        await client.models.generate_content(
            model=MODEL, contents=WORDS, config=GenerateContentConfig(max_output_tokens=20)
        )
    settled = await settlement(door, inside)
    assert (settled.basis, settled.output_tokens) == (Basis.REPORTED, 20)
    assert settled.usage.reasoning_tokens == 20


async def test_an_abandoned_stream_is_charged_for_what_the_model_had_counted(stage: Stage) -> None:
    """Its thoughts, too, which no text shows."""
    door, inside = await stage.before()
    gate = Gate()
    door.model.script = Script(pieces=("word",) * 9, reasoning_tokens=30, gate=gate)
    async with genai_sdk(door.url, door.key) as client:
        gate.let(4)
        stream = await client.models.generate_content_stream(model=MODEL, contents=WORDS)
        for _ in range(3):
            await anext(stream)
    entry = await door.model.ledger.ended(0)
    (finished,) = await inside.finished(door.key)
    settled = finished.settlement
    assert settled is not None
    assert finished.ending is Ending.CLIENT_LEFT
    assert settled.basis is Basis.DELIVERED
    assert (settled.input_tokens, settled.output_tokens) == (entry.input_tokens, 33)


async def test_unreported_usage_is_estimated(stage: Stage) -> None:
    door, inside = await stage.before()
    door.model.script = Script(pieces=("word",) * 9, report=silent)
    async with genai_sdk(door.url, door.key) as client:
        await client.models.generate_content(
            model=MODEL, contents=WORDS, config=GenerateContentConfig(max_output_tokens=20)
        )
    settled = await settlement(door, inside)
    assert settled.basis is Basis.DELIVERED
    assert settled.output_tokens == output_tokens(len("word" * 9))


async def test_counting_tokens_and_listing_models_cost_a_request_each(stage: Stage) -> None:
    door, inside = await stage.before()
    async with genai_sdk(door.url, door.key) as client:
        await client.models.count_tokens(model=MODEL, contents=WORDS)
        await client.models.list()
    async with asyncio.timeout(10):
        finished = await inside.finished(door.key, 2)
    assert [one.route.name for one in finished if one.route] == ["count_tokens", "models"]
    assert all(one.ending is Ending.COMPLETED for one in finished)

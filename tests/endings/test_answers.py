"""Endings at which the model API has answered."""

import gzip
from typing import Any

import pytest

from gateway.decision.finished import Ending
from gateway.decision.settlement import Basis
from gateway.demo.ledger import Ending as Left
from gateway.demo.scripts import Fault, JsonObject, honest, silent
from tests.endings.speakers import ANTHROPIC, GEMINI, OPENAI, SPEAKERS, Speaker
from tests.endings.stage import WORD, Charged, Theatre, words
from tests.endings.table import row

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("endings")]

each_dialect = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda one: one.name)
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@row("reported")
@pytest.mark.parametrize(
    ("speaker", "choices"), [(OPENAI, 1), (OPENAI, 3), (ANTHROPIC, 1), (GEMINI, 1), (GEMINI, 3)]
)
@streamed_or_not
@pytest.mark.parametrize(
    "script",
    [
        pytest.param({}, id="text"),
        pytest.param({"cached_tokens": 3}, id="cached"),
        pytest.param({"reasoning_tokens": 30}, id="reasoning"),
    ],
)
async def test_what_is_reported_is_charged(
    theatre: Theatre, speaker: Speaker, stream: bool, choices: int, script: dict[str, Any]
) -> None:
    scene = await theatre.scene()
    scene.plays(**script).open()
    await scene.answer(speaker, stream=stream, choices=choices)
    entry, settlement = await scene.entry(), await scene.settlement()
    total = entry.input_tokens + entry.output_tokens
    assert await scene.charged() == Charged(1, entry.input_tokens, entry.output_tokens, total, 0)
    assert settlement.basis is Basis.REPORTED
    assert (settlement.usage.cached_tokens or 0) == script.get("cached_tokens", 0)
    if speaker is not ANTHROPIC:
        thought = choices * script.get("reasoning_tokens", 0)
        assert (settlement.usage.reasoning_tokens or 0) == thought


@row("unreported")
@each_dialect
@streamed_or_not
async def test_what_is_not_reported_is_counted(
    theatre: Theatre, speaker: Speaker, stream: bool
) -> None:
    scene = await theatre.scene()
    scene.plays(report=silent).open()
    await scene.answer(speaker, stream=stream)
    entry, read = await scene.entry(), await scene.estimated_input()
    assert await scene.charged() == Charged(1, read, entry.delivered_tokens, read + 9, 0)
    assert (await scene.settlement()).basis is Basis.DELIVERED


@row("absurd")
@each_dialect
@streamed_or_not
@pytest.mark.parametrize("count", [-7, 10**30, "many", 1.5])
async def test_counts_that_cannot_be_are_passed_over_and_told(
    theatre: Theatre, speaker: Speaker, stream: bool, count: object
) -> None:
    def absurd(usage: JsonObject) -> JsonObject:
        return {name: count for name, told in usage.items() if isinstance(told, int)}

    scene = await theatre.scene()
    scene.plays(report=absurd).open()
    await scene.answer(speaker, stream=stream)
    entry, read = await scene.entry(), await scene.estimated_input()
    assert await scene.charged() == Charged(1, read, entry.delivered_tokens, read + 9, 0)
    assert (await scene.settlement()).usage.absurd


@row("partial")
async def test_of_a_part_that_was_reported_the_rest_is_counted(theatre: Theatre) -> None:
    """Anthropic tells the input at the start of a stream."""
    scene = await theatre.scene()
    scene.plays(truncate_after=ANTHROPIC.before_words + 4).open()
    await scene.answer(ANTHROPIC)
    entry = await scene.entry()
    assert await scene.charged() == Charged(1, entry.input_tokens, 4, entry.input_tokens + 4, 0)
    assert (await scene.settlement()).usage.input_tokens == entry.input_tokens


@row("unread")
async def test_an_answer_that_cannot_be_read_costs_what_was_reserved(theatre: Theatre) -> None:
    scene = await theatre.scene()
    encoded = gzip.compress(b'{"choices": []}')
    scene.plays(body=encoded, headers={"content-encoding": "gzip"}).open()
    await scene.answer(OPENAI, stream=False, ceiling=60)
    read = await scene.estimated_input()
    assert await scene.charged() == Charged(1, read, 60, read + 60, 0)


@row("debt")
@each_dialect
async def test_what_a_plain_answer_used_beyond_is_debt(theatre: Theatre, speaker: Speaker) -> None:
    def more(usage: JsonObject) -> JsonObject:
        counts = {"completion_tokens", "output_tokens", "candidatesTokenCount"}
        return {name: 500 if name in counts else told for name, told in usage.items()}

    scene = await theatre.scene()
    scene.plays(report=more).open()
    await scene.answer(speaker, stream=False, ceiling=60)
    read = (await scene.entry()).input_tokens
    assert await scene.charged() == Charged(1, read, 500, read + 500, 0)


@row("upstream-error")
@each_dialect
@streamed_or_not
@pytest.mark.parametrize("status", [400, 429, 503])
async def test_an_error_costs_the_request_alone(
    theatre: Theatre, speaker: Speaker, stream: bool, status: int
) -> None:
    scene = await theatre.scene()
    scene.plays(status=status, fault=Fault("overloaded_error", "No")).open()
    answer = await scene.answer(speaker, stream=stream)
    assert answer.status == status
    assert await scene.charged() == Charged(1, 0, 0, 0, 0)
    assert (await scene.settlement()).basis is Basis.RELEASED


@row("error-in-stream")
@each_dialect
async def test_an_error_in_mid_stream_costs_what_was_delivered(
    theatre: Theatre, speaker: Speaker
) -> None:
    scene = await theatre.scene()
    fault = Fault("overloaded_error", "No more")
    scene.plays(fault=fault, fault_after=speaker.before_words + 5).open()
    answer = await scene.answer(speaker)
    assert speaker.error in answer.content
    charged, entry = await scene.charged(), await scene.entry()
    assert entry.delivered_tokens == charged.output == 5
    assert charged.input in (entry.input_tokens, await scene.estimated_input())
    assert (charged.requests, charged.in_flight) == (1, 0)


@row("extended")
@each_dialect
@pytest.mark.parametrize("reports", [True, False], ids=["reported", "counted"])
async def test_a_stream_that_outgrows_its_reservation_is_reserved_more(
    theatre: Theatre, speaker: Speaker, reports: bool
) -> None:
    """Halfway what stands is what has passed or more; at the end it is what was written."""
    scene = await theatre.scene(fresh=True)
    gate = scene.plays(pieces=(WORD,) * 3_000, report=honest if reports else silent)
    gate.let(1 + speaker.before_words + 2_000)
    if speaker is ANTHROPIC:  # it demands a ceiling, which this model does not keep
        scene.model.heeds_ceilings = False
    async with scene.asking(speaker, ceiling=1_000 if speaker is ANTHROPIC else None) as answer:
        pieces = answer.aiter_bytes()
        said = await words(pieces, 2_000)
        halfway = await scene.charged(before=0)
        gate.open()
        said += b"".join([piece async for piece in pieces])
    assert said.count(WORD.encode()) == 3_000
    assert (halfway.in_flight, halfway.requests) == (1, 1)
    assert halfway.output >= 2_000
    charged = await scene.charged(before=2)
    first = await scene.finished(1)
    assert first.ending is Ending.COMPLETED
    assert (charged.output, charged.requests, charged.in_flight) == (3_001, 2, 0)


@row("quota-spent")
@pytest.mark.parametrize("speaker", [OPENAI, GEMINI], ids=lambda one: one.name)
async def test_a_stream_that_is_granted_no_more_ends_with_an_error(
    theatre: Theatre, speaker: Speaker
) -> None:
    scene = await theatre.scene("narrow", fresh=True)
    scene.plays(pieces=(WORD,) * 3_000).let(1 + speaker.before_words + 1_100)
    answer = await scene.answer(speaker, ceiling=None)
    assert answer.status == 200
    assert speaker.error in answer.content
    assert b"in the middle of the answer" in answer.content
    charged, entry = await scene.charged(), await scene.entry()
    assert charged.output == answer.content.count(WORD.encode()) <= 1_100  # the limit
    assert (charged.requests, charged.in_flight) == (1, 0)
    assert entry.ending is Left.CLIENT_LEFT
    assert (await scene.finished()).ending is Ending.QUOTA_SPENT


@row("quota-spent")
async def test_a_model_that_writes_past_its_ceiling_passes_one_step_at_most(
    theatre: Theatre,
) -> None:
    scene = await theatre.scene("narrow", fresh=True)
    scene.plays(pieces=(WORD,) * 3_000).open()
    scene.model.heeds_ceilings = False
    answer = await scene.answer(ANTHROPIC, ceiling=1_000)
    assert ANTHROPIC.error in answer.content
    charged = await scene.charged()
    assert 1_000 <= charged.output == answer.content.count(WORD.encode()) <= 1_256
    assert (await scene.finished()).ending is Ending.QUOTA_SPENT

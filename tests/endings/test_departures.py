"""Endings at which the client left, or gauger stopped."""

import asyncio

import pytest

from gateway.decision.finished import Ending
from gateway.demo.ledger import Ending as Left
from tests.endings.speakers import ANTHROPIC, OPENAI, SPEAKERS, Speaker
from tests.endings.stage import POLICIES, Charged, Scene, Theatre, until, words
from tests.endings.table import row
from tests.parts.gauger_inside import gauger_inside

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("endings")]

each_dialect = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda one: one.name)
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])

CEILING = 60


async def called_off(scene: Scene, delivered: int, *, ending: Ending = Ending.CLIENT_LEFT) -> None:
    """The model was stopped; what had passed is charged, and by `on_abort: reservation` all."""
    entry = await scene.entry()
    assert entry.ending is Left.CLIENT_LEFT
    assert entry.delivered_tokens == delivered
    finished, estimated = await scene.finished(), await scene.estimated_input()
    assert finished.ending is ending
    charged = await scene.charged()
    assert charged.input in (entry.input_tokens, estimated)
    assert charged == Charged(1, charged.input, delivered, estimated + CEILING, 0)
    settlement = await scene.settlement()
    assert settlement.estimated


@row("left-before-headers")
@each_dialect
@streamed_or_not
async def test_a_client_that_leaves_before_the_head(
    theatre: Theatre, speaker: Speaker, stream: bool
) -> None:
    scene = await theatre.scene()
    gate = scene.plays()

    async def ask() -> None:
        async with scene.asking(speaker, stream=stream, ceiling=CEILING):
            pass

    asking = asyncio.create_task(ask())
    await gate.reached(0)
    asking.cancel()
    await asyncio.wait({asking})
    await called_off(scene, 0)


@row("left-before-first-event")
@each_dialect
async def test_a_client_that_leaves_before_the_first_event(
    theatre: Theatre, speaker: Speaker
) -> None:
    scene = await theatre.scene()
    scene.plays().let(1)
    async with scene.asking(speaker, ceiling=CEILING):
        pass
    await called_off(scene, 0)


@row("left-mid-stream")
@each_dialect
@pytest.mark.parametrize("heard", [1, 5])
async def test_a_client_that_leaves_in_mid_stream(
    theatre: Theatre, speaker: Speaker, heard: int
) -> None:
    scene = await theatre.scene()
    scene.plays().let(1 + speaker.before_words + heard)
    async with scene.asking(speaker, ceiling=CEILING) as answer:
        await words(answer.aiter_bytes(), heard)
    await called_off(scene, heard)


@row("left-after-usage")
@pytest.mark.parametrize("speaker", [OPENAI, ANTHROPIC], ids=lambda one: one.name)
async def test_a_client_that_leaves_after_the_usage(theatre: Theatre, speaker: Speaker) -> None:
    """In Gemini's dialect nothing comes after it."""
    scene = await theatre.scene()
    scene.plays().let(1 + speaker.before_words + 9 + speaker.after_words)
    last = b'"completion_tokens"' if speaker is OPENAI else b"message_delta"
    async with scene.asking(speaker, ceiling=CEILING) as answer:
        await until(answer.aiter_bytes(), lambda read: last in read)
    entry, finished = await scene.entry(), await scene.finished()
    assert finished.ending is Ending.CLIENT_LEFT
    total = entry.input_tokens + 9
    assert await scene.charged() == Charged(1, entry.input_tokens, 9, total, 0)
    assert not (await scene.settlement()).estimated


@row("shut-down")
@each_dialect
async def test_a_gauger_that_stops_in_mid_stream(theatre: Theatre, speaker: Speaker) -> None:
    """Its counters are gone with it: what was settled is read from what it told at its end."""
    scene = await theatre.scene()
    gate = scene.plays()
    gate.let(1 + speaker.before_words + 3)
    starting = gauger_inside(POLICIES / "wide.yaml", theatre.url, shutdown_grace_s=0.05)
    async with starting as scene.inside:
        asking = scene.asking(speaker, ceiling=CEILING)
        answer = await asking.__aenter__()
        await words(answer.aiter_bytes(), 3)
    await asyncio.wait({asyncio.create_task(asking.__aexit__(None, None, None))})
    finished, settlement = await scene.finished(), await scene.settlement()
    assert finished.ending in (Ending.SHUT_DOWN, Ending.CLIENT_LEFT)
    assert finished.decision is not None
    actual = {
        (charge.limit.quota_id, charge.limit.unit.value): settlement.actual(charge)
        for charge in finished.decision.charges
    }
    assert actual["tokens", "output_tokens"] == (await scene.entry()).delivered_tokens == 3
    assert actual["kept", "tokens"] == await scene.estimated_input() + CEILING
    assert actual["slots", "concurrent"] == 0

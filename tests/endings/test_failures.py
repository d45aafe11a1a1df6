"""Endings at which nothing was asked, or the model API failed."""

import httpx
import pytest

from gateway.decision.finished import Ending
from gateway.decision.settlement import Basis
from tests.endings.speakers import OPENAI, SPEAKERS, Speaker
from tests.endings.stage import Charged, Theatre
from tests.endings.table import row
from tests.parts.raw_server import raw_server, saying_once, silent, unused_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("endings")]

each_dialect = pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda one: one.name)
streamed_or_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@row("refused")
@each_dialect
async def test_a_refused_request_costs_nothing(theatre: Theatre, speaker: Speaker) -> None:
    scene = await theatre.scene("narrow")
    answer = await scene.answer(speaker, ceiling=1_101)
    assert answer.status == 400
    assert scene.model.ledger.entries == []
    assert await scene.charged() == Charged(0, 0, 0, 0, 0)


@row("rejected")
@each_dialect
async def test_a_request_that_is_not_understood_costs_nothing(
    theatre: Theatre, speaker: Speaker
) -> None:
    scene = await theatre.scene()
    answer = await scene.answer(speaker, ceiling=-1)
    assert answer.status == 400
    assert scene.model.ledger.entries == []
    assert await scene.charged() == Charged(0, 0, 0, 0, 0)


@row("rejected")
async def test_a_request_without_a_key_reaches_no_model(theatre: Theatre) -> None:
    scene = await theatre.scene()
    body = OPENAI.body(stream=False, ceiling=9, choices=1)
    async with httpx.AsyncClient(base_url=scene.inside.url) as client:
        answer = await client.post(OPENAI.path(stream=False), json=body)
        assert answer.status_code == 401
        assert (await client.get("/v1/nowhere")).status_code == 404
    assert scene.model.ledger.entries == []


@row("truncated")
@each_dialect
async def test_a_stream_that_breaks_off_costs_what_was_delivered(
    theatre: Theatre, speaker: Speaker
) -> None:
    scene = await theatre.scene()
    scene.plays(truncate_after=speaker.before_words + 4).open()
    answer = await scene.answer(speaker)
    assert answer.broken
    assert speaker.error in answer.content
    entry, estimated = await scene.entry(), await scene.estimated_input()
    charged = await scene.charged()
    assert charged.input in (entry.input_tokens, estimated)
    assert charged == Charged(1, charged.input, 4, charged.input + 4, 0)
    assert entry.delivered_tokens == 4
    assert (await scene.finished()).ending is Ending.UPSTREAM_TRUNCATED


@row("truncated")
@each_dialect
async def test_a_plain_answer_that_breaks_off_costs_its_bytes(
    theatre: Theatre, speaker: Speaker
) -> None:
    """Half a document cannot be read as what it was to be."""
    scene = await theatre.scene()
    scene.plays(truncate_after=0).open()
    answer = await scene.answer(speaker, stream=False)
    assert answer.broken
    charged, estimated = await scene.charged(), await scene.estimated_input()
    output = len(answer.content) // 4
    assert charged == Charged(1, estimated, output, estimated + output, 0)


@row("unreachable")
@each_dialect
@streamed_or_not
async def test_a_model_api_that_is_not_there(
    theatre: Theatre, speaker: Speaker, stream: bool
) -> None:
    scene = await theatre.scene(fresh=True, upstream=f"http://127.0.0.1:{unused_port()}")
    assert (await scene.answer(speaker, stream=stream)).status == 502
    assert (await scene.settlement()).basis is Basis.RELEASED
    assert await scene.charged() == Charged(1, 0, 0, 0, 0)


@row("too-slow")
@each_dialect
@streamed_or_not
async def test_a_model_api_that_does_not_begin_in_time(
    theatre: Theatre, speaker: Speaker, stream: bool
) -> None:
    async with raw_server(silent) as server:
        scene = await theatre.scene(fresh=True, upstream=server.url, first_byte_timeout_s=0.05)
        assert (await scene.answer(speaker, stream=stream, ceiling=60)).status == 504
        estimated = await scene.estimated_input()
        assert await scene.charged() == Charged(1, estimated, 0, estimated + 60, 0)


@row("broken-before-head")
@each_dialect
@streamed_or_not
async def test_a_model_api_that_breaks_off_before_its_answer(
    theatre: Theatre, speaker: Speaker, stream: bool
) -> None:
    async with raw_server(saying_once()) as server:
        scene = await theatre.scene(fresh=True, upstream=server.url)
        assert (await scene.answer(speaker, stream=stream)).status == 502
        estimated = await scene.estimated_input()
        assert await scene.charged() == Charged(1, estimated, 0, estimated, 0)

"""What only a whole gauger can show of its wiring."""

import asyncio
from pathlib import Path

import httpx

from gateway.decision.finished import Ending
from tests.parts.gauger_inside import gauger_inside
from tests.parts.serving import serving
from tests.reload.files import policy
from tests.reload.traffic import KEY, Model, ask, scene


async def test_without_grace_a_stop_cuts_off_what_is_under_way_and_still_settles_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "quotas.yaml").write_text(policy("in-flight", "1 concurrent"))
    model = Model()
    held = model.hold()
    async with serving(model) as upstream, httpx.AsyncClient(trust_env=False) as caller:
        async with gauger_inside(tmp_path, upstream, shutdown_grace_s=0.0) as inside:
            asking = asyncio.create_task(ask(caller, inside.url))
            await model.until_arrived(1)
        (finished,) = await inside.finished(KEY)
        (told,) = await asyncio.gather(asking, return_exceptions=True)
        held.set()
    assert finished.ending is Ending.SHUT_DOWN
    assert finished.settlement is not None
    assert not (isinstance(told, httpx.Response) and told.is_success)


async def test_what_is_reserved_and_not_settled_can_be_scraped(tmp_path: Path) -> None:
    (tmp_path / "quotas.yaml").write_text(policy("requests", "10 requests/minute"))
    async with scene(tmp_path) as playing:
        held = playing.model.hold()
        asking = [asyncio.create_task(playing.ask()) for _ in range(2)]
        await playing.model.until_arrived(2)
        assert await playing.metric("gateway_reservations_open") == "2.0"
        held.set()
        await asyncio.gather(*asking)

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.stage import Door, Stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    async with Stage().playing() as playing:
        yield playing


@pytest_asyncio.fixture(loop_scope="session", params=["to the model API", "through gauger"])
async def door(request: pytest.FixtureRequest, stage: Stage) -> Door:
    """First the model API itself, which proves the scripted one to the SDKs; then gauger."""
    return await stage.behind("generous") if request.param == "through gauger" else stage.door()

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.endings.stage import Theatre


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def theatre() -> AsyncIterator[Theatre]:
    async with Theatre().playing() as playing:
        yield playing

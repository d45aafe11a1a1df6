from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.stage import POLICIES
from tests.parts.gauger_process import Gauger, gauger
from tests.parts.model_engine import Engine, missing, running_engine


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine() -> AsyncIterator[Engine]:
    without = missing()
    if without is not None:
        pytest.skip(f"the real engine is not installed: {without}")
    async with running_engine() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def before_engine(engine: Engine) -> AsyncIterator[Gauger]:
    async with gauger(POLICIES / "generous.yaml", engine.url) as running:
        yield running

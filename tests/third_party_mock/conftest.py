from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.end_to_end.stage import POLICIES
from tests.parts.gauger_inside import GaugerInside, gauger_inside
from tests.sdk_matrix.node_packages import Missing, node_packages
from tests.third_party_mock.aimock import KEY, PACKAGE_JSON, aimock


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def inside() -> AsyncIterator[GaugerInside]:
    """A gauger in front of aimock, which takes one key only: gauger's."""
    packages = await node_packages(PACKAGE_JSON)
    if isinstance(packages, Missing):
        pytest.skip(f"aimock is not here: {packages.reason}")
    async with (
        aimock(packages) as upstream,
        gauger_inside(
            POLICIES / "generous.yaml", upstream, upstream_key_env="UNUSED", upstream_key=KEY
        ) as running,
    ):
        yield running

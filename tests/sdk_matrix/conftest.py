import asyncio

import pytest

from tests.sdk_matrix.matrix import Matrix, observed


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    """All that was seen; the tests look at it. What is not installed is skipped, test by test."""
    return asyncio.run(observed())

"""The implementations under contract, and servers that are gone when a test ends."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import Upstream, UpstreamSettings, UpstreamTimeouts
from gateway.proxy.upstream.target import UpstreamTarget

IMPLEMENTATIONS: dict[str, Callable[[UpstreamSettings], Upstream]] = {"httpx": HttpxUpstream}


class Connect(Protocol):
    """Makes an Upstream to the URL; closed when the test ends."""

    def __call__(
        self, url: str, *, timeouts: UpstreamTimeouts | None = None, **settings: Any
    ) -> Upstream: ...


@pytest.fixture(params=IMPLEMENTATIONS)
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    implementation = IMPLEMENTATIONS[request.param]
    async with AsyncExitStack() as stack:

        def make(
            url: str, *, timeouts: UpstreamTimeouts | None = None, **settings: Any
        ) -> Upstream:
            upstream = implementation(
                UpstreamSettings(
                    target=UpstreamTarget.parse(url),
                    timeouts=timeouts or UpstreamTimeouts(),
                    **settings,
                )
            )
            stack.push_async_callback(upstream.aclose)
            return upstream

        yield make

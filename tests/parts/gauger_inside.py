"""gauger inside a test's own loop, whole but for the command line: what it finished can be read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.decision.finished import Finished
from gateway.facts.principal import Secret
from gateway.reload import Reloaded
from gateway.settings import Address, Settings
from gateway.wiring import gateway_running

SECRET = Secret(b"the-secret-of-the-end-to-end-tests")
LOOPBACK = Address("127.0.0.1", 0)
FINISHED_S = 10.0


@dataclass(slots=True)
class GaugerInside:
    url: str = ""
    admin_url: str = ""
    probes_url: str = ""
    reload: Callable[[str], Awaitable[Sequence[Reloaded]]] = field(init=False)
    _finished: list[Finished] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, finished: Finished) -> None:
        self._finished.append(finished)
        self._more.set()

    async def finished(self, key: str, count: int = 1) -> list[Finished]:
        """The exchanges of a key in the order of their ends, once this many are over."""
        account = SECRET.anonymous_account_id(key)
        async with asyncio.timeout(FINISHED_S):
            while True:
                mine = [
                    f for f in self._finished if f.principal and f.principal.account.id == account
                ]
                if len(mine) >= count:
                    return mine
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def gauger_inside(
    policies: Path, upstream: str, **settings: Any
) -> AsyncIterator[GaugerInside]:
    """`settings` are fields of `Settings`."""
    inside = GaugerInside()
    given = Settings(
        policies=policies,
        upstream=upstream,
        listen=LOOPBACK,
        secret=SECRET.key,
        **{"admin": LOOPBACK, "shutdown_grace_s": 1.0, **settings},
    )
    async with gateway_running(given, listeners=[inside.hear]) as running:
        inside.url = running.door.url
        inside.admin_url = running.admin.url if running.admin else ""
        inside.probes_url = running.probes.url if running.probes else ""
        inside.reload = running.reload
        yield inside

"""Reads anew all that operators write: when a file changes, and when somebody asks."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import chain
from typing import Any

from gateway.reload.watch import FileWatch
from gateway.reload.written import Outcome, Refused, Reloaded, Written

_log = logging.getLogger(__name__)


class Reloader:
    """One reading at a time, whoever asks for it."""

    def __init__(self, written: Sequence[Written[Any]], on_failure: Callable[[str], None]) -> None:
        """`on_failure` hears what was refused, each time."""
        self._written = tuple(written)
        self._on_failure = on_failure
        self._reading = asyncio.Lock()

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What lies on the disk and is not in force."""
        return tuple(one.refused for one in self._written if one.refused is not None)

    async def reload(self, occasion: str, *, asked: bool = True) -> tuple[Reloaded, ...]:
        """Raises nothing.

        `asked`: a person waits for the answer and finds it in the log, also where nothing is new.
        """
        async with self._reading:
            return tuple([await self._one(one, occasion, asked=asked) for one in self._written])

    @contextlib.asynccontextmanager
    async def following(self, every_s: float | None) -> AsyncIterator[None]:
        """While the block runs, what changes is read; besides, everything each `every_s`."""
        watch = FileWatch(lambda: chain.from_iterable(w.paths for w in self._written), every_s)
        await watch.renew()
        following = asyncio.create_task(self._follow(watch))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await watch.aclose()

    async def _follow(self, watch: FileWatch) -> None:
        try:
            while True:
                # Read once more at the start, and never before the watch is renewed: otherwise a
                # change could fall between a reading and the watch that would have seen it.
                await self.reload("a change of files", asked=False)
                await watch.change()
                await watch.renew()
        except Exception:  # noqa: BLE001  # a bug; nothing else stops for it
            _log.exception("Files are no longer watched, by a bug. SIGHUP and POST /reload work.")

    async def _one(self, written: Written[Any], occasion: str, *, asked: bool) -> Reloaded:
        before, digest_before = written.refused, written.digest
        reloaded = await written.reload()
        match reloaded.outcome:
            case Outcome.REFUSED:
                self._on_failure(written.what)
                if asked or before is None or before.problems != reloaded.problems:
                    _log.error(
                        "%s: the new version is refused (%s), and %s stays in force:\n%s",
                        written.what,
                        occasion,
                        reloaded.digest,
                        "\n".join(reloaded.problems),
                    )
            case Outcome.REPLACED:
                _log.info(
                    "%s: %s is in force in the place of %s (%s)",
                    written.what,
                    reloaded.digest,
                    digest_before,
                    occasion,
                )
            case Outcome.UNCHANGED:
                if asked or before is not None:
                    _log.info(
                        "%s: nothing is new, %s stays in force (%s)",
                        written.what,
                        reloaded.digest,
                        occasion,
                    )
        return reloaded

"""Waits for changes of files: as the file system tells of them, and by looking now and then.

What a change means is not judged here. It is only a reason to read, and whoever reads compares
bytes: a change too many costs a reading, and a network file system that tells nothing costs time.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from watchfiles._rust_notify import RustNotify

from gateway.reload.places import places

_log = logging.getLogger(__name__)

QUIET_MS = 100
"""Files are read once nothing has changed for so long: editors and kubelets write in steps."""

AT_LATEST_MS = 2_000
"""Files that never rest are read all the same."""


class FileWatch:
    """watchfiles' own `awatch` begins to watch only while one waits; what changes before is lost.

    Here the watch is on from `renew`, and what changes until `change` is called waits for it.
    """

    def __init__(self, roots: Callable[[], Iterable[Path]], every_s: float | None) -> None:
        """`roots` says what matters now, each time that the watch is renewed.

        `change` returns after `every_s` in any case; None: never by time alone.
        """
        self._roots = roots
        self._every_s = every_s
        self._notify: RustNotify | None = None
        self._told = ""
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gauger-watch")

    async def renew(self) -> None:
        """Watch the directories that matter now.

        A link may lead elsewhere than it did, and a directory be another for all its name. What
        changed before is not told any more, so read after this.
        """
        await self._in_thread(self._renew)

    async def change(self) -> None:
        """Until something has changed and is quiet again, or it is time to look anyway."""
        if self._notify is not None:
            await self._in_thread(self._wait, self._notify)
        elif self._every_s is not None:
            await asyncio.sleep(self._every_s)
        else:
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.shutdown)
        self._close()

    def _renew(self) -> None:
        self._close()
        try:
            try:
                self._notify = _watching(places(self._roots()))
            except FileNotFoundError:  # it went between the two
                self._notify = _watching(places(self._roots()))
        except (OSError, RuntimeError) as error:
            self._tell_of(error)

    def _tell_of(self, error: Exception) -> None:
        if str(error) == self._told:
            return
        self._told = str(error)
        instead = (
            "Changes are read on SIGHUP and POST /reload only"
            if self._every_s is None
            else f"They are read every {self._every_s:g} s instead"
        )
        _log.warning("The files of operators cannot be watched: %s. %s.", error, instead)

    def _wait(self, notify: RustNotify) -> None:
        every_ms = 0 if self._every_s is None else max(1, round(self._every_s * 1000))
        notify.watch(AT_LATEST_MS, QUIET_MS, every_ms, self._stop)

    async def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _close(self) -> None:
        if self._notify is not None:
            self._notify.close()
        self._notify = None


def _watching(directories: set[Path]) -> RustNotify:
    """Raises `OSError`, also where the system has no watch left, and `RuntimeError`."""
    return RustNotify(
        sorted(map(str, directories)),
        debug=False,
        force_polling=False,
        poll_delay_ms=1_000,  # of no use without polling, but demanded
        recursive=False,
        ignore_permission_denied=True,
    )

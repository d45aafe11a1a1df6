"""A gauger as a process: what its signals mean."""

import asyncio
import logging
import signal
from collections.abc import Callable

from gateway.settings import Settings
from gateway.wiring.running import RunningGateway, gateway_running

_log = logging.getLogger(__name__)

_STOPPING = (signal.SIGTERM, signal.SIGINT)


async def run_gateway(
    settings: Settings, *, on_started: Callable[[RunningGateway], None] | None = None
) -> None:
    """Until SIGTERM or SIGINT; a second one cuts what is under way, a third ends the process.

    SIGHUP reads policies and accounts anew.
    """
    loop = asyncio.get_running_loop()
    stop, hang_up = _Stop(loop), asyncio.Event()
    for signal_ in _STOPPING:
        loop.add_signal_handler(signal_, stop.ask)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    try:
        async with gateway_running(settings) as running:
            stop.running = running
            reloading = asyncio.create_task(_reload_whenever(hang_up, running))
            if on_started is not None:
                on_started(running)
            try:
                await stop.asked.wait()
            finally:
                reloading.cancel()
    finally:
        for signal_ in (*_STOPPING, signal.SIGHUP):
            loop.remove_signal_handler(signal_)


class _Stop:
    """What it means to be asked to stop, each time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.asked = asyncio.Event()
        self.running: RunningGateway | None = None

    def ask(self) -> None:
        again = self.asked.is_set()
        self.asked.set()
        if again:
            for signal_ in _STOPPING:  # by default they end the process
                self._loop.remove_signal_handler(signal_)
        if self.running is None:
            return
        under_way = self.running.under_way()
        if again:
            _log.warning("Stopping at once: %d exchanges are cut.", under_way)
            self.running.cut()
        else:
            _log.info(
                "Stopping: %d exchanges are under way and have the time of --shutdown-grace. A "
                "second signal cuts them.",
                under_way,
            )


async def _reload_whenever(asked: asyncio.Event, running: RunningGateway) -> None:
    """A signal that comes during a reading leads to another one after it."""
    while True:
        await asked.wait()
        asked.clear()
        await running.reload("SIGHUP")

"""A gauger as a process: what its signals mean."""

import asyncio
import signal
from collections.abc import Callable

from gateway.settings import Settings
from gateway.wiring.running import RunningGateway, gateway_running


async def run_gateway(
    settings: Settings, *, on_started: Callable[[RunningGateway], None] | None = None
) -> None:
    """Until SIGTERM or SIGINT. SIGHUP reads policies and accounts anew."""
    stop, hang_up = asyncio.Event(), asyncio.Event()
    signals = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hang_up}
    loop = asyncio.get_running_loop()
    for signal_, event in signals.items():
        loop.add_signal_handler(signal_, event.set)
    try:
        async with gateway_running(settings) as running:
            reloading = asyncio.create_task(_reload_whenever(hang_up, running))
            if on_started is not None:
                on_started(running)
            try:
                await stop.wait()
            finally:
                reloading.cancel()
    finally:
        for signal_ in signals:
            loop.remove_signal_handler(signal_)


async def _reload_whenever(asked: asyncio.Event, running: RunningGateway) -> None:
    """A signal that comes during a reading leads to another one after it."""
    while True:
        await asked.wait()
        asked.clear()
        await running.reload("SIGHUP")

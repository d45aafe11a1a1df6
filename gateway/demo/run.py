"""The demo: a mock model API, the gateway itself before it, a few clients, and what was decided.

Nothing is simulated but the model: all of them speak HTTP on this machine.
"""

import asyncio
import secrets
import signal
import socket
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from gateway.decision.finished import Finished
from gateway.demo.clients import HABITS, Client
from gateway.demo.model_api import ModelApi
from gateway.demo.narration import Narrator
from gateway.demo.summary import Tally
from gateway.facts.principal import Secret
from gateway.proxy.server import configuration, listen, run
from gateway.proxy.serving import serving
from gateway.settings import Address, Settings
from gateway.wiring import gateway_running

POLICIES = Path(__file__).parent / "policies"

FIRST_TOKEN_SECONDS = 0.2
TOKENS_PER_SECOND = 40.0
"""About as fast as one reads, so that a stream can be seen to stream."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What can be chosen. Without an address: the usual port, or a free one if it is taken."""

    policies: Path = POLICIES
    seconds: float | None = None
    """None: until Ctrl-C or SIGTERM."""
    listen: Address | None = None
    admin: Address | None = None


def run_demo(demo: Demo, to: Console) -> None:
    """Raises `OperatorError` if the policies or an address cannot be used."""
    run(_demo(demo, to))


async def _demo(demo: Demo, to: Console) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    model = ModelApi(first_token_seconds=FIRST_TOKEN_SECONDS, tokens_per_second=TOKENS_PER_SECOND)
    secret = secrets.token_bytes(32)
    keys = {habit.__name__: f"demo-{habit.__name__}" for habit in HABITS}
    names = {Secret(secret).anonymous_account_id(key): name for name, key in keys.items()}
    narrator, tally = Narrator(to, names, stopped.set), Tally(names)

    def finished(exchange: Finished) -> None:
        tally.add(exchange)
        narrator.tell(exchange)

    async with AsyncExitStack() as stack:
        listener = listen("127.0.0.1", 0)
        await stack.enter_async_context(serving(configuration(model, grace_s=1), listener))
        upstream = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(
            policies=demo.policies,
            upstream=upstream,
            listen=demo.listen or _usual_or_free(8080),
            admin=demo.admin or _usual_or_free(9090),
            secret=secret,
            secret_is_random=True,
        )
        gateway = await stack.enter_async_context(gateway_running(settings, listeners=[finished]))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
            stack.callback(loop.remove_signal_handler, number)
        _introduce(to, demo, f"http://{gateway.address}", gateway.admin_address, upstream)
        async with httpx.AsyncClient(
            base_url=f"http://{gateway.address}", timeout=60.0, trust_env=False
        ) as http:
            talks = [
                habit(Client(habit.__name__, keys[habit.__name__], http, narrator.remark))
                for habit in HABITS
            ]
            await _until(stopped, demo.seconds, talks)
        to.print("\nThe clients were sent home.")
    tally.show(to, model.ledger)


async def _until(
    stopped: asyncio.Event, seconds: float | None, talks: Sequence[Coroutine[Any, Any, None]]
) -> None:
    """Lets the clients talk. One that fails ends the demo with its error: that would be a bug."""
    waiting = asyncio.create_task(stopped.wait())
    talking = [asyncio.create_task(talk) for talk in talks]
    try:
        done, _ = await asyncio.wait(
            {waiting, *talking}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    finally:
        for task in (waiting, *talking):
            task.cancel()
        await asyncio.gather(waiting, *talking, return_exceptions=True)


def _usual_or_free(port: int) -> Address:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return Address("127.0.0.1", 0)
    return Address("127.0.0.1", port)


def _introduce(to: Console, demo: Demo, gateway: str, admin: object, upstream: str) -> None:
    to.print("gauger demo: five clients, a gateway with an in-memory store, a mock model API.\n")
    to.print(f"  gateway      {gateway}")
    if admin is not None:
        to.print(f"  status page  http://{admin}")
    to.print(f"  model API    {upstream}")
    to.print(f"  policies     {demo.policies}")
    ending = "Ctrl-C ends it" if demo.seconds is None else f"It ends after {demo.seconds:g} s"
    to.print(f"\n{ending}. Times are in seconds.\n")

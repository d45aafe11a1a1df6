"""Runs a backtest: opens what is read and written, drives the engine, prints the report."""

import asyncio
import gc
import resource
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from gateway.cli.backtest_json import as_json
from gateway.cli.backtest_progress import Shows, shown
from gateway.cli.backtest_tables import show
from gateway.cli.reporting import console, tell
from gateway.errors import OperatorError, SettingsError, StoreUnavailable
from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy_directory import read_texts
from gateway.replay.clock import SimulatedClock
from gateway.replay.decisions import DecisionWriter
from gateway.replay.difference import difference
from gateway.replay.engine import Side
from gateway.replay.outcome import Backtest, Run
from gateway.replay.report import Report, make_report
from gateway.replay.run import replay
from gateway.replay.tally import Tally
from gateway.replay.traffic import OnBroken, Traffic
from gateway.replay.traffic_source import TrafficSource
from gateway.store.memory import MemoryStore
from gateway.store.redis import RedisStore

PIPE_COLUMNS = 160
"""Nobody knows how wide what reads a pipe is: enough that few lines are broken."""

MEMORY = "memory"
_REDIS = ("redis", "rediss", "unix")
_WRITTEN_AT_ONCE_BYTES = 1 << 20

_COLLECT_AFTER = 100_000
"""Objects. A replay makes many and leaves no circles to look for after each 700."""


class NotWritable(OperatorError):
    """A file that the report was to go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    policies: Path | None
    """None: those of the recording, whose decisions are to be verified."""
    against: Path | None
    traffic: tuple[str, ...]
    decisions: Path | None
    json: bool
    html: Path | None
    store: str
    on_broken: OnBroken


@dataclass(frozen=True, slots=True)
class _Set:
    """One directory of policies under test."""

    where: str
    policies: Policies
    tally: Tally

    def report(self) -> Report:
        return make_report(self.where, self.policies, self.tally)


RECORDED = "the recording's own policies"


def run_backtest(wanted: Wanted) -> bool:
    """Whether all is decided as it was live, as far as that is recorded.

    Raises `OperatorError` for what cannot be read, written or reached.
    """
    for path in (wanted.decisions, wanted.html):
        _spare_the_traffic(path, wanted.traffic)
    verifies = wanted.policies is None
    tried = (
        _Set(RECORDED, Policies(), Tally()) if wanted.policies is None else _read(wanted.policies)
    )
    sets = [tried, *([_read(wanted.against)] if wanted.against is not None else [])]
    sources = [TrafficSource(name) for name in wanted.traffic]
    sizes = [source.size_bytes() for source in sources]
    total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
    traffic = Traffic(sources, wanted.on_broken)
    with (
        shown(total_bytes) as progress,
        _writing(wanted.decisions) as decisions,
        _few_collections(),
    ):
        run, sides = asyncio.run(
            _pass(traffic, sets, wanted.store, decisions, progress, recorded_policies=verifies)
        )
    if verifies:
        sets[0] = replace(tried, policies=sides[0].policies)
    verification = sides[0].verification
    backtest = Backtest(
        run=run,
        verification=verification,
        tried=sets[0].report(),
        against=sets[1].report() if wanted.against is not None else None,
        difference=difference(sets[0].tally, sets[1].tally) if wanted.against is not None else None,
    )
    if wanted.html is not None:
        from gateway.cli.backtest_page import page  # noqa: PLC0415  # who wants no page waits for none

        _write(wanted.html, page(backtest))
        tell(f"HTML report: {wanted.html}")
    if wanted.json:
        sys.stdout.write(as_json(backtest) + "\n")
    else:
        to = console(stderr=False)
        if not to.is_terminal:
            to.width = PIPE_COLUMNS
        show(backtest, to)
    if verifies and not verification.compared:
        tell("Nothing to verify: no line of this traffic tells what was decided live.")
    return verification.exact


async def _pass(
    traffic: Traffic,
    sets: list[_Set],
    store_url: str,
    decisions: IO[bytes] | None,
    progress: Shows,
    *,
    recorded_policies: bool,
) -> tuple[Run, list[Side]]:
    async def tell_progress(exchanges: int, at_us: int) -> None:
        progress.show(exchanges, at_us, traffic.position_bytes())
        await asyncio.sleep(0)  # here a Ctrl-C comes through

    async with AsyncExitStack() as open_stores:
        sides: list[Side] = []
        for at, one in enumerate(sets):
            observers = [one.tally.note]
            if decisions is not None and at == 0:
                observers.append(DecisionWriter(decisions).write)
            clock = SimulatedClock()
            store = await _open_store(store_url, clock, open_stores)
            shared = (
                sides[0].intake
                if one.policies.routes == sets[0].policies.routes and sides
                else None
            )
            sides.append(
                Side(
                    one.policies,
                    store,
                    clock,
                    observers,
                    shared,
                    recorded_policies=recorded_policies,
                )
            )
        begun = time.perf_counter()
        try:
            exchanges = await replay(traffic, sides, tell_progress)
        except StoreUnavailable as error:
            raise SettingsError(f"store: {error}") from error
        seconds = time.perf_counter() - begun
        memories = [side.store for side in sides if isinstance(side.store, MemoryStore)]
        run = Run(
            exchanges=exchanges,
            seconds=seconds,
            store=store_url.partition("://")[0],
            partitions_kept=sum(map(len, memories)) if memories else None,
            memory_mib=_most_memory_mib(),
            broken=traffic.broken,
            problems=tuple(traffic.problems),
        )
        return run, sides


async def _open_store(
    url: str, clock: SimulatedClock, open_stores: AsyncExitStack
) -> MemoryStore | RedisStore:
    """On a server under a prefix of its own, which is cleared again: live counters are not met."""
    scheme = url.partition("://")[0]
    if scheme == MEMORY:
        return MemoryStore(clock)
    if scheme not in _REDIS:
        raise SettingsError(
            f'store: "{scheme}" is not known. Allowed: memory://, redis://HOST:PORT/DB, '
            "rediss:// (TLS), unix://PATH."
        )
    store = RedisStore(url, clock=clock, prefix=f"gauger-backtest-{secrets.token_hex(6)}")
    open_stores.push_async_callback(store.aclose)
    try:
        await store.start()
    except StoreUnavailable as error:
        raise SettingsError(f"store: {error}") from error
    open_stores.push_async_callback(store.forget)
    return store


def _read(path: Path) -> _Set:
    return _Set(path.as_posix(), load(read_texts(path)), Tally())


def _spare_the_traffic(path: Path | None, traffic: tuple[str, ...]) -> None:
    """A slip of the finger must not cost the only recording."""
    if path is not None and path.exists():
        for name in traffic:
            if Path(name).exists() and path.samefile(name):
                raise NotWritable(f"{path} is a traffic file; the output would take its place.")


@contextmanager
def _writing(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("wb", buffering=_WRITTEN_AT_ONCE_BYTES)
    except OSError as error:
        raise NotWritable(f"{path}: {error.strerror}.") from error
    with file:
        yield file


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise NotWritable(f"{path}: {error.strerror}.") from error


@contextmanager
def _few_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _most_memory_mib() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10

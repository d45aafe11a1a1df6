"""How far a backtest has come: a bar with rate and time left on a terminal, else some lines."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from gateway.cli.backtest_wording import moment
from gateway.cli.reporting import console

LINE_EVERY_S = 10.0


class Shows(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, exchanges: int, at_us: int, position_bytes: int) -> None: ...


def shown(total_bytes: int | None) -> Shows:
    """`total_bytes` of all files together; None if that is unknown."""
    return _Bar(total_bytes) if sys.stderr.isatty() else _Lines(total_bytes)


class _Bar:
    def __init__(self, total_bytes: int | None) -> None:
        self._begun = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.fields[simulated]}"),
            BarColumn(),
            TextColumn("{task.fields[exchanges]:>12,} exchanges {task.fields[rate]:>8,.0f}/s"),
            TimeRemainingColumn(),
            console=console(stderr=True),
            transient=True,
        )
        self._task: TaskID = self._progress.add_task(
            "", total=total_bytes, simulated="", exchanges=0, rate=0.0
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, exchanges: int, at_us: int, position_bytes: int) -> None:
        self._progress.update(
            self._task,
            completed=position_bytes,
            simulated=moment(at_us / 1e6),
            exchanges=exchanges,
            rate=exchanges / max(time.monotonic() - self._begun, 1e-3),
        )


class _Lines:
    def __init__(self, total_bytes: int | None) -> None:
        self._total_bytes = total_bytes
        self._begun = self._told = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def show(self, exchanges: int, at_us: int, position_bytes: int) -> None:
        now = time.monotonic()
        if now - self._told < LINE_EVERY_S:
            return
        self._told = now
        share = f", {position_bytes / self._total_bytes:.0%}" if self._total_bytes else ""
        sys.stderr.write(
            f"{exchanges:,} exchanges, {exchanges / (now - self._begun):,.0f} a second, "
            f"now at {moment(at_us / 1e6)}{share}\n"
        )
        sys.stderr.flush()

"""Makes the traffic that was asked for, writes it, and tells what was written."""

import gzip
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from rich import box
from rich.console import Console
from rich.table import Table

from gateway.cli.backtest_progress import shown
from gateway.cli.backtest_wording import amount
from gateway.cli.reporting import console, counted, tell, warn
from gateway.errors import OperatorError
from gateway.simulation.campaign import (
    CHOICES,
    FAMILIES,
    SETTABLE,
    Campaign,
    UnusableOrder,
    read_campaign,
)
from gateway.simulation.corpora import Corpora, built_in, from_directory
from gateway.simulation.order import Order, read_order, read_populations, read_without
from gateway.simulation.populations import KINDS
from gateway.simulation.stream import Simulation
from gateway.simulation.writing import line

_STANDARD_OUTPUT = "-"
_TOLD_EVERY = 2_048
_COMPRESSION = 3
"""Twice as fast as the default, and a tenth larger."""
_WRITTEN_AT_ONCE_BYTES = 1 << 20
_PIPE_COLUMNS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    order: Path | None
    populations: tuple[str, ...]
    campaigns: tuple[str, ...]
    output: Path | None
    days: float | None
    seed: int | None
    corpora: Path | None
    without: tuple[str, ...]
    launch_day: float | None


@dataclass(slots=True)
class _Written:
    """Of one label."""

    exchanges: int = 0
    tokens: int = 0
    accounts: set[str] | None = None


class NotWritable(OperatorError):
    """The file that the traffic was to go to."""


def run_simulation(wanted: Wanted) -> None:
    """Raises `OperatorError` for what cannot be understood, read or written."""
    order = _order(wanted)
    if not order.populations and not order.campaigns:
        raise UnusableOrder(
            "There is nothing to simulate. Name a --population or a --campaign, or a file; "
            "gauger simulate --list shows them."
        )
    if wanted.output is None:
        raise UnusableOrder("Name the file to write: -o traffic.jsonl.gz, or -o - for a pipe.")
    simulation = Simulation(order, _corpora(wanted.corpora))
    written = _write(simulation, wanted.output)
    piped = str(wanted.output) == _STANDARD_OUTPUT
    to = console(stderr=piped)
    if not to.is_terminal:
        to.width = _PIPE_COLUMNS
    _show(written, order, to)
    if not piped:
        tell(f"Traffic: {wanted.output}")


def list_names() -> None:
    to = console(stderr=False)
    if not to.is_terminal:
        to.width = _PIPE_COLUMNS
    _table(
        to,
        "Populations (--population NAME[:ACCOUNTS][,rate=2][,begin=9])",
        ("name", "accounts", "who"),
        [
            ("all", "", "every population below except laboratory; all:0.1 is a tenth of each"),
            *((kind.name, f"{kind.accounts:,}", kind.meaning) for kind in KINDS.values()),
        ],
        numbers={1},
    )
    _table(
        to,
        "Campaigns (--campaign NAME[:WORD][,key=value])",
        ("name", "accounts", "what"),
        [(f.name, f"{f.campaign.accounts:,}", f.meaning) for f in FAMILIES.values()],
        numbers={1},
    )
    _table(
        to,
        "What can be set of a campaign",
        ("key", "default", "meaning", "allowed"),
        [
            (name, _default(name), meaning, ", ".join(CHOICES.get(name, ())))
            for name, meaning in SETTABLE.items()
        ],
    )


def _default(name: str) -> str:
    return str(getattr(Campaign(), name)).lower()


def _order(wanted: Wanted) -> Order:
    order = Order()
    if wanted.order is not None:
        order = read_order(str(wanted.order), _text(wanted.order))
    more = [one for text in wanted.populations for one in read_populations(text)]
    without = dict(order.without)
    for text in wanted.without:
        without |= read_without(text)
    return replace(
        order,
        populations=(*order.populations, *more),
        campaigns=(*order.campaigns, *map(read_campaign, wanted.campaigns)),
        days=order.days if wanted.days is None else wanted.days,
        seed=order.seed if wanted.seed is None else wanted.seed,
        launch_day=order.launch_day if wanted.launch_day is None else wanted.launch_day,
        without=without,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UnusableOrder(f"{path}: {said}.") from error


def _corpora(directory: Path | None) -> Corpora:
    if directory is None:
        return built_in()
    corpora = from_directory(directory)
    for name in corpora.passed_over:
        warn(f"{directory / name} has no prompt, turns, msgs or history, and is passed over.")
    return corpora


def _write(simulation: Simulation, output: Path) -> dict[str, _Written]:
    written: dict[str, _Written] = {}
    begin_s = simulation.span.begin_s
    seconds = max(1, round(simulation.span.end_s - begin_s))
    with _writing(output) as file, shown(seconds) as progress:
        for number, record in enumerate(simulation, 1):
            file.write(line(record))
            row = written.setdefault(record.label or "", _Written(accounts=set()))
            row.exchanges += 1
            row.tokens += record.response.tokens
            if row.accounts is not None:
                row.accounts.add(record.account)
            if number % _TOLD_EVERY == 0:
                progress.show(number, record.at_us, round(record.at - begin_s))
    return written


@contextmanager
def _writing(output: Path) -> Iterator[IO[bytes]]:
    if str(output) == _STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        opened = output.open("wb", buffering=_WRITTEN_AT_ONCE_BYTES)
    except OSError as error:
        raise NotWritable(f"{output}: {error.strerror}.") from error
    with opened as file:
        if output.suffix != ".gz":
            yield file
            return
        # Neither name nor time inside: the same order gives the same bytes.
        with gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0) as compressed:
            yield compressed  # type: ignore[misc]  # it writes bytes like any binary file


def _show(written: dict[str, _Written], order: Order, to: Console) -> None:
    rows = [
        (
            label,
            f"{len(row.accounts or ()):,}",
            f"{row.exchanges:,}",
            f"{row.exchanges / max(1, len(row.accounts or ())) / order.days:.2f}",
            amount(row.tokens),
        )
        for label, row in sorted(written.items())
    ]
    whole = sum(row.exchanges for row in written.values())
    title = f"{counted(whole, 'exchange')} in {order.days:g} days, seed {order.seed}"
    heads = ("label", "accounts", "exchanges", "a day and account", "tokens")
    _table(to, title, heads, rows, numbers={1, 2, 3, 4})


def _table(
    to: Console,
    title: str,
    heads: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    numbers: Collection[int] = (),
) -> None:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for at, head in enumerate(heads):
        table.add_column(head, justify="right" if at in numbers else "left")
    for row in rows:
        table.add_row(*row)
    to.print(table)

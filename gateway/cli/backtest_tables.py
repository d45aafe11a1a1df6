"""The report of a backtest as tables: in colour on a terminal, wide and plain in a pipe."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli import backtest_wording as words
from gateway.cli.backtest_verified import show_verification
from gateway.cli.reporting import counted, show_problems
from gateway.replay.difference import Difference
from gateway.replay.outcome import Backtest, Run
from gateway.replay.report import Report

CHANGES_SHOWN = 20

_WIDEST_WORD = 40

Cell = str | Text


def show(backtest: Backtest, to: Console) -> None:
    tried, against = backtest.tried, backtest.against
    _summary(tried, to)
    if against is not None:
        _summary(against, to)
    _policies(tried, to)
    if backtest.difference is not None and against is not None:
        _difference(backtest.difference, tried, against, to)
    if tried.top_accounts:
        _accounts(tried, to)
    if tried.labels:
        _labels(tried, to)
    show_verification(backtest.verification, to)
    _finish(backtest.run, to)


def _summary(report: Report, to: Console) -> None:
    to.print(
        Text(report.policies, style="bold"),
        f" (version {report.digest}): refused {words.share(report.refused, report.exchanges)} of "
        f"{report.exchanges:,} exchanges, {words.share(report.accounts_refused, report.accounts)} "
        f"of {counted(report.accounts, 'account')}, "
        f"{words.share(report.refused_tokens, report.tokens)} of {words.amount(report.tokens)} "
        f"tokens; {words.period(report)}",
        sep="",
    )
    if report.rejected:
        to.print(f"  of these before any policy: {words.reasons(report.rejected)}")
    if report.would_refuse:
        to.print(f"  allowed, but policies in shadow mode would refuse {report.would_refuse:,}")


def _policies(report: Report, to: Console) -> None:
    _table(
        to,
        f"What each policy refused: {report.policies}",
        ("policy", "mode", "refused", "accounts", "tokens"),
        (
            (
                row.id,
                Text(row.mode, style="dim" if row.mode == "shadow" else ""),
                f"{row.exchanges:,}",
                f"{row.accounts:,}",
                words.amount(row.tokens),
            )
            for row in report.by_policy
        ),
        numbers={2, 3, 4},
    )


def _difference(difference: Difference, tried: Report, against: Report, to: Console) -> None:
    changed = difference.accounts
    _table(
        to,
        f"{counted(len(changed), 'account')} of {tried.accounts:,} fare otherwise than under "
        f"{against.policies}: {difference.newly_refused:,} newly refused, "
        f"{difference.no_longer_refused:,} no longer",
        (
            "account",
            "labels",
            "exchanges",
            "before",
            "now",
            "change",
            "reasons before",
            "reasons now",
        ),
        (
            (
                row.account,
                ", ".join(row.labels),
                f"{row.exchanges:,}",
                f"{row.refused_against:,}",
                f"{row.refused:,}",
                Text(f"{row.more_refused:+,}", style="red" if row.more_refused > 0 else "green"),
                words.reasons(row.reasons_against),
                words.reasons(row.reasons),
            )
            for row in changed[:CHANGES_SHOWN]
        ),
        numbers={2, 3, 4, 5},
    )
    if len(changed) > CHANGES_SHOWN:
        to.print(f"... and {len(changed) - CHANGES_SHOWN:,} more; --json has them all")


def _accounts(report: Report, to: Console) -> None:
    _table(
        to,
        f"Accounts refused most: {report.policies}",
        ("account", "labels", "exchanges", "refused", "first", "last", "reasons"),
        (
            (
                row.account,
                ", ".join(row.labels),
                f"{row.exchanges:,}",
                words.share(row.refused, row.exchanges),
                "" if row.first_refused_at is None else words.moment(row.first_refused_at),
                "" if row.last_refused_at is None else words.moment(row.last_refused_at),
                words.reasons(row.reasons),
            )
            for row in report.top_accounts
        ),
        numbers={2, 3},
    )


def _labels(report: Report, to: Console) -> None:
    _table(
        to,
        "By label, which no policy sees",
        (
            "label",
            "accounts",
            "refused",
            "exchanges",
            "refused",
            "account-days refused",
            "allowed before",
        ),
        (
            (
                Text(row.label, style="" if row.innocent else "yellow"),
                f"{row.accounts:,}",
                words.share(row.accounts_refused, row.accounts),
                f"{row.exchanges:,}",
                words.share(row.refused, row.exchanges),
                words.account_days(row),
                words.before_refusal(row),
            )
            for row in report.labels
        ),
        numbers={1, 2, 3, 4, 5, 6},
    )


def _finish(run: Run, to: Console) -> None:
    show_problems(run.problems, to, warning=True)
    if run.broken:
        to.print(Text(f"{counted(run.broken, 'broken line')} skipped", style="bold yellow"))
    kept = (
        f"{counted(run.partitions_kept, 'partition')} of counters kept, "
        if run.partitions_kept is not None
        else ""
    )
    to.print(
        f"\n{counted(run.exchanges, 'exchange')} in {run.seconds:,.1f} s "
        f"({run.per_second:,.0f} a second), {kept}{run.memory_mib:,.0f} MiB of memory at most"
    )


def _table(
    to: Console,
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    numbers: set[int],
) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    for at, name in enumerate(head):
        table.add_column(
            name,
            justify="right" if at in numbers else "left",
            overflow="fold",
            min_width=_longest_word([name, *(row[at].plain for row in made)]),
        )
    for row in made:
        table.add_row(*row)
    to.print()
    to.print(Text(title, style="bold"))
    to.print(table)


def _longest_word(texts: Iterable[str]) -> int:
    """On a narrow terminal lines break between words, and no id or number in the middle."""
    return min(_WIDEST_WORD, max(len(word) for text in texts for word in (text.split() or [""])))

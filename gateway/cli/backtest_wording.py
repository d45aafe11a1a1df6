"""Figures of a backtest in words, the same on a page and on a terminal."""

from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.replay.report import LabelRow, Report

_LONG = 100_000
"""From here on a number is cut to three digits."""


def short(value: float) -> str:
    """`1.5k`, `20M`: no more than an axis has room for."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def amount(value: int) -> str:
    return short(value) if value >= _LONG else f"{value:,}"


def share(part: int, whole: int) -> str:
    """`12 (0.4%)`."""
    return f"{amount(part)} ({part / whole:.1%})" if part else "0"


def moment(at_s: float, form: str = "%d %b %H:%M") -> str:
    """UTC, as everything here."""
    return datetime.fromtimestamp(at_s, tz=UTC).strftime(form)


def period(report: Report) -> str:
    if not report.exchanges:
        return "no traffic"
    form = "%d %b %Y %H:%M"
    return f"{moment(report.first_at, form)} to {moment(report.last_at, form)} UTC"


def reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{policy_id} {count:,}" for policy_id, count in counts.items())


def account_days(row: LabelRow) -> str:
    if row.account_day_bound is not None:
        return f"0 of {row.account_days:,} (< {row.account_day_bound:.2%})"
    return f"{row.account_days_refused:,} of {row.account_days:,} ({row.account_day_share:.2%})"


def before_refusal(row: LabelRow) -> str:
    before = row.exchanges_before_refusal
    return "never refused" if before is None else f"{before:,}"

"""The report of a backtest as one JSON object, for tools."""

from dataclasses import asdict
from typing import Any

import msgspec

from gateway.replay.outcome import Backtest
from gateway.replay.report import LabelRow, Report
from gateway.replay.series import Series


def as_json(backtest: Backtest) -> str:
    run, against = backtest.run, backtest.against
    written = {
        "run": asdict(run) | {"per_second": round(run.per_second)},
        "verification": asdict(backtest.verification),
        "tried": _report(backtest.tried),
        "against": _report(against) if against is not None else None,
        "difference": backtest.difference,
    }
    return msgspec.json.format(msgspec.json.encode(written), indent=2).decode()


def _report(report: Report) -> dict[str, Any]:
    return asdict(report) | {
        "labels": [_label(row) for row in report.labels],
        "series": _series(report.series),
    }


def _label(row: LabelRow) -> dict[str, Any]:
    return asdict(row) | {
        "refused_share": row.refused_share,
        "account_day_share": row.account_day_share,
    }


def _series(series: Series) -> dict[str, Any]:
    """Spans in which nothing came are left out."""
    width_s = series.width_us / 1e6
    spans = [
        {"at": number * width_s} | asdict(span) for number, span in sorted(series.spans.items())
    ]
    return {"span_seconds": width_s, "spans": spans}

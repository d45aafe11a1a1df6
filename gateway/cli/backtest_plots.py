"""The plots of a backtest: what was refused when, by whom, how near others came, who was caught."""

from collections.abc import Iterable, Iterator

from gateway.cli.backtest_svg import TOP, Axes, shape
from gateway.cli.backtest_wording import moment, short
from gateway.console.markup import Child, Markup, join, tag
from gateway.replay.report import AccountRow, Report
from gateway.replay.series import SHARES, Span

COLOURS = 8
"""That the style sheet has; more policies begin anew."""

_SMOOTHED = 4
_WIDE = 1_280
_ROW_HEIGHT = 20
_NAME_WIDTH = 180
_NAME_CHARACTERS = 26


def policy_colours(report: Report) -> dict[str, str]:
    """A class for each policy that spoke against anything."""
    spoke = [row.id for row in report.by_policy if row.exchanges]
    return {policy_id: f"c{at % COLOURS}" for at, policy_id in enumerate(spoke)}


def traffic_over_time(report: Report) -> Markup:
    spans = list(_spans(report))
    width_s = report.series.width_us / 1e6
    axes = _axes(report, max((span.exchanges for _, span in spans), default=0))
    bars: list[Child] = []
    for at_s, span in spans:
        told = f"{moment(at_s)}: {span.exchanges:,} exchanges, {span.refused:,} refused"
        bars.append(_told(axes.bar(at_s, width_s, 0, span.exchanges, "all"), told))
        if span.refused:
            bars.append(_told(axes.bar(at_s, width_s, 0, span.refused, "bad"), told))
    legend = _legend([("all", "exchanges"), ("bad", "refused")])
    return join(axes.drawing(axes.frame(), *bars, title="Exchanges over time"), legend)


def refused_over_time(report: Report) -> Markup:
    """What each policy spoke against, one above the other."""
    colours = policy_colours(report)
    spans = list(_spans(report))
    width_s = report.series.width_us / 1e6
    axes = _axes(report, max((sum(s.by_policy.values()) for _, s in spans), default=0))
    bars: list[Child] = []
    for at_s, span in spans:
        low = 0
        for policy_id, colour in colours.items():
            count = span.by_policy.get(policy_id, 0)
            if count:
                bar = axes.bar(at_s, width_s, low, low + count, colour)
                bars.append(_told(bar, f"{moment(at_s)}: {policy_id} {count:,}"))
                low += count
    shadow = {row.id for row in report.by_policy if row.mode == "shadow"}
    legend = _legend((c, f"{p} (shadow)" if p in shadow else p) for p, c in colours.items())
    return join(axes.drawing(axes.frame(), *bars, title="Refused over time"), legend)


def left_over_time(report: Report) -> Markup:
    """Of the limit that was nearest to an exchange: how much of it was left."""
    axes = _axes(report, 100)
    half_s = report.series.width_us / 2e6 * _SMOOTHED
    points = [(at_s + half_s, span) for at_s, span in _smoothed(report) if any(span.left)]
    lines: list[Child] = [
        axes.line([(at_s, 100 * _quantile(span, share)) for at_s, span in points], cls)
        for share, cls in ((0.5, "median"), (0.05, "lowest"))
    ]
    legend = _legend([("median", "median exchange"), ("lowest", "lowest 5 % of exchanges")])
    return join(
        axes.drawing(axes.frame(unit=" %"), *lines, title="What was left over time"), legend
    )


def accounts_by_least_left(report: Report) -> Markup:
    """How near accounts ever came to a limit."""
    counts = report.accounts_by_least_left
    axes = Axes(0, len(counts), max(counts))
    parts = axes.values()
    for tenth, count in enumerate(counts):
        if count:
            told = f"{count:,} accounts: at the least {tenth * 10} to {tenth * 10 + 10} % was left"
            bar = axes.bar(tenth + 0.06, 0.88, 0, count, "c0" if tenth else "bad")
            parts.append(_told(bar, told))
            x, y = axes.x(tenth + 0.5), max(axes.y(count) - 4, TOP)
            parts.append(shape("text", short(count), x=x, y=y, text_anchor="middle"))
        label = f"{tenth * 10}-{tenth * 10 + 10} %"
        x, y = axes.x(tenth + 0.5), axes.height - 8
        parts.append(shape("text", label, x=x, y=y, text_anchor="middle"))
    return axes.drawing(*parts, title="Accounts by the least that was left to them")


def caught_over_time(report: Report) -> Markup:
    """A line for each of the accounts that were refused most, from the first time to the last."""
    rows = [row for row in report.top_accounts if row.first_refused_at is not None]
    height = TOP + _ROW_HEIGHT * len(rows) + 30
    axes = Axes(report.first_at, report.last_at, 1, height, _NAME_WIDTH, _WIDE)
    lines = (_caught(axes, row, TOP + _ROW_HEIGHT * (at + 0.5)) for at, row in enumerate(rows))
    grid = shape("g", *axes.moments())
    return axes.drawing(grid, *lines, title="Who was refused when")


def _caught(axes: Axes, row: AccountRow, y: float) -> Markup:
    first, last = axes.x(row.first_refused_at or 0), axes.x(row.last_refused_at or 0)
    told = (
        f"{row.account}: {row.refused:,} of {row.exchanges:,} refused, from "
        f"{moment(row.first_refused_at or 0)} to {moment(row.last_refused_at or 0)}"
    )
    name = row.account
    if len(name) > _NAME_CHARACTERS:
        name = name[: _NAME_CHARACTERS - 1] + "\u2026"
    thickness = 2 + 6 * row.refused / row.exchanges
    group = shape(
        "g",
        shape("text", name, x=_NAME_WIDTH - 10, y=y + 4, text_anchor="end"),
        shape(
            "line",
            x1=first,
            x2=max(last, first + 1),
            y1=y,
            y2=y,
            cls="caught",
            stroke_width=thickness,
        ),
        shape("circle", cx=first, cy=y, r=4, cls="bad"),
    )
    return _told(group, told)


def _axes(report: Report, most: float) -> Axes:
    width_s = report.series.width_us / 1e6
    numbers = report.series.spans or {0: Span()}
    return Axes(min(numbers) * width_s, (max(numbers) + 1) * width_s, most)


def _spans(report: Report) -> Iterator[tuple[float, Span]]:
    """With the moment at which each begins."""
    for number, span in sorted(report.series.spans.items()):
        yield number * report.series.width_us / 1e6, span


def _smoothed(report: Report) -> Iterator[tuple[float, Span]]:
    """Several spans as one: quantiles of a few exchanges jump about."""
    wide: dict[int, Span] = {}
    for number, span in sorted(report.series.spans.items()):
        wide.setdefault(number // _SMOOTHED, Span()).add(span)
    for number, span in wide.items():
        yield number * _SMOOTHED * report.series.width_us / 1e6, span


def _quantile(span: Span, share: float) -> float:
    """Of what was left, from its steps: the middle of the step in which it lies."""
    wanted = share * sum(span.left)
    below = 0
    for step, count in enumerate(span.left):
        below += count
        if below >= wanted and below:
            return (step + 0.5) / SHARES
    return 1.0


def _told(element: Markup, text: str) -> Markup:
    """With a text that shows under the pointer."""
    return shape("g", tag("title", text), element)


def _legend(entries: Iterable[tuple[str, str]]) -> Markup:
    items = [tag("li", tag("i", cls=cls), name) for cls, name in entries]
    return tag("ul", *items, cls="legend")

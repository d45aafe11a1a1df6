"""The outcomes as one HTML file with plots; it needs no network."""

from collections.abc import Sequence
from importlib.resources import files

from gateway.cli.backtest_svg import TOP, Axes, shape
from gateway.console.markup import Child, Markup, join, tag
from tests.benchmarks.detection.report import Table, by_campaign
from tests.benchmarks.detection.trial import Outcome

_STYLE = files("gateway.cli").joinpath("backtest.css").read_text("utf-8")
_COLOURS = 8
_LINES = """
.line.all { stroke: var(--c0); } .line.bad { stroke: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(3, 1fr); }
.plots figure { margin: 8px; } figcaption { font-size: 12px; }
""" + "".join(f".line.c{at} {{ stroke: var(--c{at}); }}\n" for at in range(_COLOURS))


def page(outcomes: Sequence[Outcome], found: Sequence[Table], sweep: str) -> str:
    sections = [_leaks(outcomes, engine) for engine in dict.fromkeys(o.engine for o in outcomes)]
    if sweep:
        sections.insert(0, _curve(outcomes, sweep))
    sections += [_section(one.title, one.explained, _table(one)) for one in found]
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        tag("title", "Detection"),
        tag("style", Markup(_STYLE + _LINES)),
    )
    body = tag("body", tag("main", tag("h1", "Detection benchmark"), *sections))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _leaks(outcomes: Sequence[Outcome], engine: str) -> Markup:
    """Of each campaign, what had leaked hour by hour since it began: the first seed."""
    campaigns = by_campaign([one for one in outcomes if one.engine == engine])
    plots: list[Child] = []
    for mine in campaigns.values():
        hours = mine[0].by_hour
        last = max(hours, default=0)
        sent = leaked = 0
        lines: dict[str, list[tuple[float, float]]] = {"all": [(0, 0)], "bad": [(0, 0)]}
        for hour in range(last + 1):
            now = hours.get(hour, [0, 0])
            sent, leaked = sent + now[0], leaked + now[1]
            lines["all"].append((hour + 1, sent))
            lines["bad"].append((hour + 1, leaked))
        axes = Axes(0, max(1, last + 1), max(1, sent), 120)
        drawn = [axes.line(points, cls) for cls, points in lines.items()]
        name = mine[0].trial.name
        drawing = axes.drawing(*axes.values(), *drawn, title=f"Leaked by {name}")
        told = f"{name}: {sent:,} requests in {last + 1} h, {leaked:,} leaked"
        plots.append(tag("figure", tag("figcaption", told), drawing))
    return _section(
        f"Sent and leaked under {engine}",
        "Since the campaign began.",
        tag("div", *plots, cls="plots"),
    )


def _curve(outcomes: Sequence[Outcome], sweep: str) -> Markup:
    """Requests until contained against what was varied; what never was is drawn at its size."""
    engines = list(dict.fromkeys(one.engine for one in outcomes))
    points: dict[str, list[float]] = {engine: [] for engine in engines}
    names: list[str] = []
    for campaign, mine in by_campaign(outcomes).items():
        names.append(campaign.rpartition("=")[2])
        for engine in engines:
            told = [one.campaign for one in mine if one.engine == engine and one.campaign]
            values = [one["contained"] or one["exchanges"] for one in told]
            points[engine].append(sum(values) / max(1, len(values)))
    axes = Axes(0, max(1, len(names)), max((max(p, default=1) for p in points.values()), default=1))
    drawn: list[Child] = axes.values()
    for at, name in enumerate(names):
        middle, low = axes.x(at + 0.5), axes.height - 8
        drawn.append(shape("text", name, x=middle, y=low, text_anchor="middle"))
    for number, engine in enumerate(engines):
        places = [(at + 0.5, value) for at, value in enumerate(points[engine])]
        drawn.append(axes.line(places, f"c{number % _COLOURS}"))
        for place, value in places:
            x, y = axes.x(place), max(TOP, axes.y(value))
            drawn.append(shape("circle", cx=x, cy=y, r=3, cls=f"c{number % _COLOURS}"))
    legend = [tag("li", tag("i", cls=f"c{n % _COLOURS}"), e) for n, e in enumerate(engines)]
    drawing = axes.drawing(*drawn, title=sweep)
    return _section(
        f"Requests until contained: {sweep}", "", join(drawing, tag("ul", *legend, cls="legend"))
    )


def _section(title: str, explained: str, *content: Child) -> Markup:
    return tag("section", tag("h2", title), tag("p", explained), *content)


def _table(found: Table) -> Markup:
    head = tag("thead", tag("tr", *(tag("th", one) for one in found.head)))
    rows = [tag("tr", *(tag("td", one) for one in row)) for row in found.rows]
    return tag("div", tag("table", head, tag("tbody", *rows)), cls="scroll")

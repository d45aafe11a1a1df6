"""The report of a backtest as one HTML file that needs nothing else: no network, no other file.

Ids of accounts and labels come from the traffic, so everything is escaped by construction, and the
page forbids itself to load or send anything.
"""

from collections.abc import Iterable, Sequence
from importlib.resources import files

from gateway.cli import backtest_plots as plots
from gateway.cli import backtest_wording as words
from gateway.console.markup import Child, Markup, join, tag
from gateway.replay.difference import Changed, Difference
from gateway.replay.outcome import Backtest
from gateway.replay.report import AccountRow, LabelRow, Report

CHANGES_SHOWN = 100

_STYLE = files("gateway.cli").joinpath("backtest.css").read_text("utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_SCRIPT = """
const root = document.documentElement;
document.querySelector("button").onclick = () => {
  const dark = root.classList.contains("dark") ||
    (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.remove("dark", "light");
  root.classList.add(dark ? "light" : "dark");
};
"""


def page(backtest: Backtest) -> str:
    """The whole document."""
    tried = backtest.tried
    sections = [
        _figures(tried),
        _traffic_and_refusals(tried),
        _policies(tried),
        _near_limits(tried),
        _who(tried),
        _labels(tried),
    ]
    if backtest.difference is not None and backtest.against is not None:
        sections.insert(1, _difference(backtest.difference, tried, backtest.against))
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", f"Backtest of {tried.policies}"),
        tag("style", Markup(_STYLE)),
    )
    body = tag("body", tag("main", _header(backtest), *sections), tag("script", Markup(_SCRIPT)))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _header(backtest: Backtest) -> Markup:
    tried, run = backtest.tried, backtest.run
    compared = f" against {backtest.against.policies}" if backtest.against else ""
    return tag(
        "header",
        tag("h1", f"Backtest of {tried.policies}{compared}"),
        tag(
            "p",
            f"{words.period(tried)}, policies {tried.digest}, {run.exchanges:,} exchanges in "
            f"{run.seconds:,.1f} s",
        ),
        tag("button", "dark / light", type="button"),
    )


def _figures(report: Report) -> Markup:
    figures: list[tuple[str, int, int]] = [
        ("exchanges", report.exchanges, 0),
        ("refused", report.refused, report.exchanges),
        ("accounts", report.accounts, 0),
        ("accounts refused", report.accounts_refused, report.accounts),
        ("tokens refused", report.refused_tokens, report.tokens),
        ("only shadow would refuse", report.would_refuse, report.exchanges),
    ]
    cells = (
        tag(
            "div",
            tag("span", name),
            tag("strong", words.amount(value), cls="bad" if whole and value else None),
            tag("small", f"{value / whole:.2%}" if whole else "\u00a0"),
            cls="figure",
        )
        for name, value, whole in figures
    )
    return tag("section", tag("div", *cells, cls="figures"))


def _traffic_and_refusals(report: Report) -> Markup:
    return tag(
        "div",
        _section(
            "Traffic",
            "All exchanges, and those that were refused.",
            plots.traffic_over_time(report),
        ),
        _section(
            "Refused over time",
            "By the policy that spoke against them.",
            plots.refused_over_time(report),
        ),
        cls="pair",
    )


def _near_limits(report: Report) -> Markup:
    return tag(
        "div",
        _section(
            "What was left over time",
            "Of the limit that was nearest to each exchange, as it was decided.",
            plots.left_over_time(report),
        ),
        _section(
            "How near accounts came to a limit",
            "Accounts by the least share of a limit that was ever left to them.",
            plots.accounts_by_least_left(report),
        ),
        cls="pair",
    )


def _policies(report: Report) -> Markup:
    colours = plots.policy_colours(report)
    rows = (
        [
            join(
                tag("i", cls=colours[row.id]) if row.id in colours else None,
                tag("span", row.id, cls="name"),
                tag("small", row.why),
            ),
            tag("span", row.mode, cls="tag"),
            f"{row.exchanges:,}",
            f"{row.accounts:,}",
            words.amount(row.tokens),
        ]
        for row in report.by_policy
    )
    head = ("policy", "mode", "refused", "accounts", "tokens")
    explained = "An exchange counts for each policy that refused it, in shadow mode: would have."
    return _section("By policy", explained, _table(head, rows, numbers=(2, 3, 4)))


def _who(report: Report) -> Markup:
    if not report.top_accounts:
        return _section("Who was refused", "Nobody.")
    return join(
        _section(
            "Who was refused when",
            "The accounts that were refused most, each from its first refusal to its last; thicker "
            "is a greater share.",
            plots.caught_over_time(report),
        ),
        _section(
            "Top accounts",
            "With what spoke against them.",
            _table(
                ("account", "labels", "exchanges", "refused", "tokens refused", "reasons"),
                map(_account, report.top_accounts),
                numbers=(2, 3, 4),
            ),
        ),
    )


def _account(row: AccountRow) -> list[Child]:
    return [
        tag("span", row.account, cls="name"),
        ", ".join(row.labels),
        f"{row.exchanges:,}",
        words.share(row.refused, row.exchanges),
        words.share(row.refused_tokens, row.tokens),
        words.reasons(row.reasons),
    ]


def _labels(report: Report) -> Markup:
    if not report.labels:
        return join()
    head = (
        "label",
        "accounts",
        "refused",
        "exchanges",
        "refused",
        "account-days refused",
        "tokens refused",
        "allowed before the first refusal",
    )
    return _section(
        "By label",
        "Labels are the traffic's own; no policy saw them. Where no account-day was refused, the "
        "bound is what so many days can prove with 95 % confidence.",
        _table(head, map(_label, report.labels), numbers=(1, 2, 3, 4, 5, 6, 7)),
    )


def _label(row: LabelRow) -> list[Child]:
    return [
        tag("span", row.label, cls="name"),
        f"{row.accounts:,}",
        words.share(row.accounts_refused, row.accounts),
        f"{row.exchanges:,}",
        words.share(row.refused, row.exchanges),
        words.account_days(row),
        words.share(row.refused_tokens, row.tokens),
        words.before_refusal(row),
    ]


def _difference(difference: Difference, tried: Report, against: Report) -> Markup:
    shown = difference.accounts[:CHANGES_SHOWN]
    more = len(difference.accounts) - len(shown)
    explained = (
        f"{len(difference.accounts):,} of {tried.accounts:,} accounts fare otherwise: "
        f"{difference.newly_refused:,} newly refused, {difference.no_longer_refused:,} no longer. "
        f"Refused exchanges: {against.refused:,} before, {tried.refused:,} now."
    )
    head = (
        "account",
        "labels",
        "exchanges",
        f"refused: {against.policies}",
        f"refused: {tried.policies}",
        "change",
        "reasons before",
        "reasons now",
    )
    table = _table(head, map(_changed, shown), numbers=(2, 3, 4, 5))
    rest = tag("p", f"{more:,} more accounts are in the JSON report.", cls="empty")
    return _section("Difference", explained, table, rest if more else None)


def _changed(row: Changed) -> list[Child]:
    return [
        tag("span", row.account, cls="name"),
        ", ".join(row.labels),
        f"{row.exchanges:,}",
        f"{row.refused_against:,}",
        f"{row.refused:,}",
        f"{row.more_refused:+,}",
        words.reasons(row.reasons_against),
        words.reasons(row.reasons),
    ]


def _section(title: str, explained: str, *content: Child) -> Markup:
    return tag("section", tag("h2", title), tag("p", explained), *content)


def _table(head: Sequence[str], rows: Iterable[Sequence[Child]], numbers: Sequence[int]) -> Markup:
    def cells(name: str, values: Sequence[Child]) -> Markup:
        return tag(
            "tr",
            *(tag(name, v, cls="number" if at in numbers else None) for at, v in enumerate(values)),
        )

    body = [cells("td", row) for row in rows]
    table = tag("table", tag("thead", cells("th", head)), tag("tbody", *body))
    return tag("div", table, cls="scroll")

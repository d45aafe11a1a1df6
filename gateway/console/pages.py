"""The status page: one document without anything from elsewhere, made anew at each look.

Its style and its script are inline and named to the browser by their hashes; nothing else may run.
The script only fetches this same page and puts the new `main` in the place of the old, so that
there is one place where a value becomes HTML.
"""

import base64
import hashlib
from importlib.resources import files
from urllib.parse import urlencode

from gateway.console.markup import Markup, join, tag
from gateway.console.status import ConsoleStatus
from gateway.console.wording import clock, count, lasting, limit_words, milliseconds, moment
from gateway.policy.quota import SECOND_US, Mode, Quota
from gateway.reload import Refused
from gateway.telemetry.recent import Row

_HERE = files("gateway.console")
_STYLE = _HERE.joinpath("status.css").read_text("utf-8")
_SCRIPT = _HERE.joinpath("status.js").read_text("utf-8")
SHOWN = 50
"""Recent decisions on the page; the others are at `/decisions`."""

PROBLEMS_SHOWN = 20
"""Of one refused version."""

_DECISIONS = {
    "allow": ("allowed", "good"),
    "throttle": ("throttled", "warn"),
    "deny": ("denied", "bad"),
    "unjudged": ("rejected", "dim"),
}


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src {_hash(_STYLE)}",
        f"script-src {_hash(_SCRIPT)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""The page's Content-Security-Policy."""


def status_page(status: ConsoleStatus, rows: list[Row]) -> str:
    return _document(
        join(
            _header(status),
            *(_refused(one, status.now_us) for one in status.refused),
            _figures(status),
            _quotas(status.policies.quotas),
            _recent(rows),
        )
    )


def unavailable_page(reason: str) -> str:
    return _document(
        join(
            tag("header", tag("h1", "gauger"), tag("span", "no status", cls="badge bad")),
            tag("p", reason, cls="empty"),
        )
    )


def _document(main: Markup) -> str:
    head = join(
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        Markup('<link rel="icon" href="data:,">'),
        Markup('<noscript><meta http-equiv="refresh" content="5"></noscript>'),
        tag("title", "gauger"),
        Markup(f"<style>{_STYLE}</style>"),
    )
    body = join(tag("main", main), Markup(f"<script>{_SCRIPT}</script>"))
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _header(status: ConsoleStatus) -> Markup:
    unready = status.unready
    alarm = unready or status.degraded
    where = [
        ("model API", status.upstream),
        ("store", status.store),
        ("accounts", "any key" if status.accounts is None else count(status.accounts)),
        ("policies", status.policies.digest),
        ("up for", lasting(status.uptime_s)),
    ]
    return tag(
        "header",
        tag("h1", "gauger", tag("small", status.version)),
        tag(
            "span", "not ready" if unready else "ready", cls=f"badge {'bad' if unready else 'good'}"
        ),
        tag("span", "not refreshed", cls="badge bad stale-mark"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in where)),
        tag("p", _sentence(alarm), cls="alarm") if alarm else None,
    )


def _refused(refused: Refused, now_us: int) -> Markup:
    since_s = (now_us - refused.since_us) / SECOND_US
    shown = refused.problems[:PROBLEMS_SHOWN]
    more = len(refused.problems) - len(shown)
    return tag(
        "section",
        tag("h2", f"Refused: {refused.what} ", tag("span", "not in force", cls="badge bad")),
        tag(
            "p",
            f"What was written is refused since {moment(refused.since_us)} "
            f"({lasting(since_s)} ago), and {refused.in_force} stays in force.",
            cls="alarm",
        ),
        tag("ul", *(tag("li", problem) for problem in shown), cls="problems"),
        tag("p", f"{count(more)} more are in the log.", cls="empty") if more else None,
    )


def _figures(status: ConsoleStatus) -> Markup:
    totals = status.totals
    figures = [
        ("in flight", totals.in_flight, "now", None),
        ("allowed", totals.allowed, "exchanges", "good"),
        ("refused", totals.refused, "by a policy", "warn" if totals.refused else None),
        ("rejected", totals.unjudged, "before any policy", None),
        ("failed", totals.failed, "status 5xx", "bad" if totals.failed else None),
        ("tokens in", totals.input_tokens, "settled", None),
        ("tokens out", totals.output_tokens, "settled", None),
        ("reserved", status.open_reservations, "not yet settled", None),
    ]
    return tag(
        "section",
        *(
            tag(
                "div",
                tag("span", name, cls="name"),
                tag("strong", count(value), cls=tone),
                tag("span", meaning, cls="meaning"),
                cls="figure",
            )
            for name, value, meaning, tone in figures
        ),
        cls="figures",
    )


def _quotas(quotas: tuple[Quota, ...]) -> Markup:
    if not quotas:
        return _section(
            "Quotas", tag("p", "No quota is in force: nothing is limited.", cls="empty")
        )
    rows = (
        tag(
            "tr",
            tag("td", tag("b", quota.id), tag("p", quota.why), _when(quota), cls="rule"),
            tag("td", *(tag("div", limit_words(limit)) for limit in quota.limits), cls="limits"),
            tag("td", ", ".join(quota.per)),
            tag("td", _mode(quota)),
            tag("td", quota.where, cls="where"),
        )
        for quota in quotas
    )
    return _section(
        f"Quotas ({len(quotas)})",
        _table(("quota", "at most", "for each", "mode", "written in"), *rows),
    )


def _when(quota: Quota) -> Markup | None:
    return tag("p", "when ", tag("code", quota.when.text)) if quota.when else None


def _mode(quota: Quota) -> Markup:
    shadow = quota.mode is Mode.SHADOW
    return tag(
        "span", "shadow" if shadow else "enforced", cls=f"badge {'dim' if shadow else 'good'}"
    )


def _recent(rows: list[Row]) -> Markup:
    heading = "Recent decisions"
    if not rows:
        return _section(heading, tag("p", "No request has come yet.", cls="empty"))
    titles = (
        "UTC",
        "account",
        "asked",
        "decision",
        "by policy",
        "reserved \N{RIGHTWARDS ARROW} used",
        "status",
        "took",
        "request",
    )
    return _section(heading, _table(titles, *(_recent_row(row) for row in rows), cls="recent"))


def _recent_row(row: Row) -> Markup:
    at_us, decision = int(row["at_us"] or 0), str(row["decision"])
    word, tone = _DECISIONS.get(decision, (decision, "dim"))
    status = row["status"]
    return tag(
        "tr",
        tag("td", clock(at_us), title=moment(at_us), cls="number"),
        tag("td", _link("account", row["account"]), cls="id"),
        tag("td", str(row["route"]), tag("p", _text(row["model"])), cls="asked"),
        tag("td", tag("span", word, cls=f"badge {tone}")),
        tag("td", _text(row["policy"] or row["refusal"]), _why(row), cls="rule"),
        tag("td", _tokens(row), cls="number"),
        tag(
            "td", "left" if status is None else str(status), title=str(row["ending"]), cls="number"
        ),
        tag("td", milliseconds(float(row["duration_ms"] or 0)), cls="number"),
        tag("td", _link("request_id", row["request_id"]), cls="id"),
    )


def _why(row: Row) -> Markup | None:
    why = row["why"] or row["upstream_fault"]
    return tag("p", str(why)) if why else None


def _tokens(row: Row) -> Markup:
    """`reserved -> settled`, with a mark on what was estimated."""
    reserved, settled = row["reserved_tokens"], row["settled_tokens"]
    if reserved is None and settled is None:
        return join("\N{EN DASH}")
    estimated = row["settlement"] not in (None, "reported")
    return join(
        tag("span", count(_whole(reserved)), cls="reserved"),
        " \N{RIGHTWARDS ARROW} ",
        tag("b", count(_whole(settled)), title=f"by what was {row['settlement']}"),
        tag("span", " est.", cls="reserved") if estimated else None,
    )


def _whole(value: str | float | None) -> int | None:
    return None if value is None else int(value)


def _link(name: str, value: object) -> Markup:
    if value is None:
        return join("\N{EN DASH}")
    return tag("a", str(value), href="/decisions?" + urlencode({name: str(value)}))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _section(heading: str, *children: Markup) -> Markup:
    return tag("section", tag("h2", heading), *children)


def _table(titles: tuple[str, ...], *rows: Markup, cls: str | None = None) -> Markup:
    head = tag("thead", tag("tr", *(tag("th", title) for title in titles)))
    return tag("div", tag("table", head, tag("tbody", *rows), cls=cls), cls="scroll")

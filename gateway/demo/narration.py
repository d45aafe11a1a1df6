"""One line for each decision of the demo: who asked for what, what was decided, and why.

Written from the same `Finished` that traces and metrics are written from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from gateway.decision.finished import Ending, Finished
from gateway.policy.quota import SECOND_US
from gateway.telemetry.summary import Summary, Word, summarise

NOBODY = "-"
"""Rejected before anybody asked who it was."""

INDENT = 15
"""Where the request begins, past time and name."""

STYLES = {
    "allowed": "green",
    "wait": "yellow",
    "refused": "red",
    "rejected": "magenta",
    "left": "cyan",
    "failed": "bold red",
}
_VERDICTS = {
    Ending.CLIENT_LEFT: "left",
    Ending.SHUT_DOWN: "left",
    Ending.QUOTA_SPENT: "wait",
    Ending.UPSTREAM_FAILED: "failed",
    Ending.UPSTREAM_TRUNCATED: "failed",
    Ending.FAILED: "failed",
    Ending.REJECTED: "rejected",
}


@dataclass(frozen=True, slots=True)
class Line:
    who: str
    asked: str
    status: str
    verdict: str
    detail: str
    whys: tuple[str, ...]
    """The operator's own sentences, for every rule that refused."""


def line(finished: Finished, names: Mapping[str, str]) -> Line:
    """`names` by account id."""
    summary = summarise(finished)
    account = finished.principal.account.id if finished.principal else ""
    verdict = _verdict(summary)
    refusal = finished.refusal
    return Line(
        who=names.get(account, NOBODY),
        asked=_asked(finished),
        status="-" if finished.status is None else str(finished.status),
        verdict=verdict,
        detail=refusal.message if refusal else _charged(summary),
        whys=tuple(
            f"{ruling.policy_id}: {ruling.why}"
            for ruling in summary.rulings
            if ruling.why and not ruling.shadow
        ),
    )


class Narrator:
    """Writes to a console; times are seconds since the first exchange began.

    `reader_left` is called when nobody reads any more: the demo is being piped into `head`.
    """

    def __init__(
        self, to: Console, names: Mapping[str, str], reader_left: Callable[[], None]
    ) -> None:
        self._to = to
        self._names = names
        self._reader_left = reader_left
        self._began_us: int | None = None

    def tell(self, finished: Finished) -> None:
        if self._began_us is None:
            self._began_us = finished.started_at_us
        at_s = (finished.ended_at_us - self._began_us) / SECOND_US
        told = line(finished, self._names)
        style = STYLES[told.verdict]
        head = (
            Text(f"{at_s:7.2f}  ", style="dim")
            + Text(f"{told.who:<6}", style="bold")
            + Text(f"{told.asked:<26}")
            + Text(f"{told.status:>4} {told.verdict:<9}", style=style)
        )
        if self._to.is_terminal and len(head) + len(told.detail) > self._to.width:
            self._print(head)
            self._below(told.detail)
        else:
            self._print(head + Text(told.detail))
        for why in told.whys:
            self._below(why, style="dim")

    def _print(self, text: Text) -> None:
        try:
            self._to.print(text)
        except SystemExit:  # rich's answer to a broken pipe; from now on it prints nothing
            self._reader_left()

    def _below(self, text: str, style: str = "") -> None:
        """Indented; on a terminal broken between words, in a pipe never broken."""
        width = self._to.width - INDENT if self._to.is_terminal else len(text)
        for part in wrap(text, max(width, INDENT)):
            self._print(Text(" " * INDENT) + Text(part, style=style))

    def remark(self, who: str, text: str) -> None:
        """What a client does about it."""
        self._print(Text(f"{'':9}") + Text(f"{who:<6}", style="bold") + Text(text, style="italic"))


def _verdict(summary: Summary) -> str:
    if summary.finished.ending in _VERDICTS:
        return _VERDICTS[summary.finished.ending]
    if summary.word is Word.THROTTLE:
        return "wait"
    return "refused" if summary.word is Word.DENY else "allowed"


def _asked(finished: Finished) -> str:
    if finished.route is None:
        return "a path that is no route"
    streamed = " stream" if finished.ask and finished.ask.stream else ""
    model = f" {finished.ask.model}" if finished.ask and finished.ask.model else ""
    return f"{finished.route.name}{model}{streamed}"


def _charged(summary: Summary) -> str:
    settled, tokens = summary.finished.settlement, summary.settled_tokens
    parts = []
    if settled is not None and tokens is not None:
        reserved = (
            "" if summary.reserved_tokens is None else f" of {summary.reserved_tokens} reserved"
        )
        how = ", counted as delivered" if settled.estimated else ""
        parts.append(f"charged {tokens}{reserved} tokens{how}")
    bound = summary.binding
    if bound is not None and bound.charge is not None and bound.remaining is not None:
        limit = bound.charge.limit
        parts.append(f"{bound.remaining:,} of {limit.amount:,} {limit.unit.value} left")
    parts += [
        f"{ruling.policy_id} would refuse (shadow)" for ruling in summary.rulings if ruling.shadow
    ]
    return "; ".join(parts)

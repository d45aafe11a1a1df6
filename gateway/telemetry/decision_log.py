"""One line of JSON for every refusal, through `logging`; by setting, for every exchange.

The logger is called `gateway.decisions` and logs at INFO; who wants the lines gives it a handler.
What a model API did wrong is told beside it, as a warning in words.
"""

import logging
from dataclasses import dataclass, field
from typing import Final

import msgspec

from gateway.behaviour.standing import Standing
from gateway.telemetry.line_cap import LineCap
from gateway.telemetry.recent import row
from gateway.telemetry.summary import Ruling, Summary, Word

LOGGER: Final = "gateway.decisions"

LINES_PER_S: Final = 50
"""Of refusals. Whoever floods a gateway must not fill its disk, and 50 a second show who it is."""

FAULTS_PER_S: Final = 5
"""Of a model API's. What keeps failing fails in the same way."""

_log = logging.getLogger(LOGGER)
_words = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DecisionLog:
    allowed_too: bool = False
    """Also what was allowed: a line for every request, however many those are."""
    _lines: LineCap = field(default_factory=lambda: LineCap(LINES_PER_S))
    _faults: LineCap = field(default_factory=lambda: LineCap(FAULTS_PER_S))

    def write(self, summary: Summary) -> None:
        finished = summary.finished
        at_us = finished.ended_at_us
        if finished.upstream_fault is not None and self._faults.take(at_us):
            _tell_left_out(self._faults, "failures of the model API")
            _words.warning("%s: %s", finished.request_id, finished.upstream_fault)
        if not _log.isEnabledFor(logging.INFO):
            return
        if self.allowed_too:
            _log.info("%s", line(summary))
        elif summary.word is not Word.ALLOW and self._lines.take(at_us):
            _tell_left_out(self._lines, "refusals")
            _log.info("%s", line(summary))


def _tell_left_out(cap: LineCap, what: str) -> None:
    if count := cap.told():
        _words.warning("%d %s were not logged: more than %d in a second.", count, what, cap.per_s)


def line(summary: Summary) -> str:
    """Absent members have no value. Nothing of a prompt, an answer or a credential."""
    decision = summary.finished.decision
    members: dict[str, object] = {
        **row(summary),
        "policies": decision.digest if decision else None,
        "store": decision.store.value if decision else None,
        "overridden": dict(decision.overridden) or None if decision else None,
        "behaviour": _behaviour(decision.standing) if decision else None,
        "rules": [_rule(ruling) for ruling in summary.rulings] or None,
    }
    present = {name: value for name, value in members.items() if value is not None}
    return msgspec.json.encode(present).decode()


def _behaviour(standing: Standing) -> dict[str, object] | None:
    if not standing.evidence:
        return None
    return {
        "response": standing.response.word,
        "shadow": standing.shadow.word,
        "score": round(standing.score, 1),
        "rules": sorted({one.rule for one in standing.evidence}),
    }


def _rule(ruling: Ruling) -> dict[str, object]:
    charge, reading = ruling.charge, ruling.reading
    rule: dict[str, object] = {
        "policy": ruling.policy_id,
        "decision": ruling.word.value,
        "reason": ruling.reason,
        "why": ruling.why,
        "mode": "shadow" if ruling.shadow else "enforce",
    }
    if charge and reading:
        rule |= {
            "unit": charge.limit.unit.value,
            "limit": charge.limit.amount,
            "asked": charge.amount,
            "remaining": ruling.remaining,
            "retry_after_us": reading.retry_after_us,
        }
    return {name: value for name, value in rule.items() if value is not None}

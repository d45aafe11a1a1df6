"""One line of JSON for every refusal, through `logging`; by setting, for every exchange.

The logger is called `gateway.decisions` and logs at INFO; who wants the lines gives it a handler.
"""

import logging
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.telemetry.recent import row
from gateway.telemetry.summary import Ruling, Summary, Word

LOGGER: Final = "gateway.decisions"

_log = logging.getLogger(LOGGER)


@dataclass(frozen=True, slots=True)
class DecisionLog:
    allowed_too: bool = False
    """Also what was allowed: a line for every request."""

    def write(self, summary: Summary) -> None:
        if summary.word is Word.ALLOW and not self.allowed_too:
            return
        if _log.isEnabledFor(logging.INFO):
            _log.info("%s", line(summary))


def line(summary: Summary) -> str:
    """Absent members have no value. Nothing of a prompt, an answer or a credential."""
    decision = summary.finished.decision
    members: dict[str, object] = {
        **row(summary),
        "policies": decision.digest if decision else None,
        "store": decision.store.value if decision else None,
        "rules": [_rule(ruling) for ruling in summary.rulings] or None,
    }
    present = {name: value for name, value in members.items() if value is not None}
    return msgspec.json.encode(present).decode()


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

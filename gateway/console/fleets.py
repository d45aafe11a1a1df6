"""What an operator sees of flagged groups and does to them; each deed is in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.behaviour.board import Board, Flagged, Hand
from gateway.console.accounts import Mistake
from gateway.console.audit import AuditLog, Operator
from gateway.policy.behaviour import Score
from gateway.policy.quota import SECOND_US


@dataclass(frozen=True, slots=True)
class FleetDesk:
    """Acts on the board of this process; where there are several, all know within a second."""

    board: Callable[[], Board]
    score: Callable[[], Score]
    clock: Callable[[], int]
    """The wall clock, in microseconds."""
    audit: AuditLog

    def all(self) -> dict[str, Any]:
        """Those that are held hardest first."""
        groups = sorted(self.board().groups.values(), key=lambda one: (-one.held, one.since_us))
        return {"fleets": [self._row(one) for one in groups]}

    def show(self, key: str) -> dict[str, Any]:
        """Raises `Mistake`."""
        return self._row(self._group(key))

    def by_hand(self, key: str, who: Operator, hand: Hand | None, *, why: str) -> dict[str, Any]:
        """None: what the rules say holds again. Raises `Mistake`."""
        group = self._group(key)
        group.by_hand = hand
        self.board().changed_group(group.key)
        deed = "let go" if hand is None else hand.value
        line = self.audit.write(who, f"fleet {deed}", {"fleet": key, "why": why})
        return {**self._row(group), "at": line["at"]}

    def _group(self, key: str) -> Flagged:
        try:
            group = self.board().groups.get(int(key, 16))
        except ValueError:
            group = None
        if group is None:
            raise Mistake(f"{key!r} is no group in force. `gauger fleets` lists them.")
        return group

    def _row(self, group: Flagged) -> dict[str, Any]:
        now_us, score = self.clock(), self.score()
        return {
            "fleet": f"{group.key:016x}",
            "shares": list(group.names),
            "response": group.held.word,
            "by_hand": None if group.by_hand is None else group.by_hand.value,
            "members": round(group.members),
            "exchanges": group.exchanges,
            "since": _moment(group.since_us),
            "rules": [
                {
                    "rule": one.rule,
                    "why": one.why,
                    "mode": one.mode.value,
                    "points": round(one.points_at(now_us, score), 1),
                    "measured": {name: round(value, 3) for name, value in one.measured},
                    "held_last": _moment(one.at_us),
                    "gone": _moment(one.gone_us(score)),
                }
                for one in group.evidence.values()
            ],
        }


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us / SECOND_US, UTC).isoformat(timespec="seconds")

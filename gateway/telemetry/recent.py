"""The last exchanges, for the status page and for whoever asks about a request id."""

from collections import deque
from itertools import islice

from gateway.telemetry.summary import Summary

KEPT = 200

Row = dict[str, str | int | float | None]


class RecentDecisions:
    """A ring: the newest pushes the oldest out. Made into rows only when somebody looks."""

    def __init__(self, kept: int = KEPT) -> None:
        self._ring: deque[Summary] = deque(maxlen=kept)

    def add(self, summary: Summary) -> None:
        self._ring.append(summary)

    def rows(
        self, *, request_id: str | None = None, account: str | None = None, limit: int = KEPT
    ) -> list[Row]:
        """Newest first."""
        found = (
            summary
            for summary in reversed(self._ring)
            if request_id in (None, summary.finished.request_id)
            and account in (None, _account(summary))
        )
        return [row(summary) for summary in islice(found, limit)]


def row(summary: Summary) -> Row:
    """One exchange, flat. Holds no text of a prompt or an answer, and no credential."""
    finished, binding = summary.finished, summary.binding
    refusal, settled = finished.refusal, finished.settlement
    return {
        "request_id": finished.request_id,
        "at_us": finished.ended_at_us,
        "account": _account(summary),
        "route": summary.route,
        "model": finished.ask.model[:128] if finished.ask and finished.ask.model else None,
        "decision": summary.word.value,
        "policy": binding.policy_id if binding else None,
        "reason": binding.reason if binding else None,
        "why": binding.why if binding else None,
        "refusal": refusal.kind.value if refusal else None,
        "reserved_tokens": summary.reserved_tokens,
        "settled_tokens": summary.settled_tokens,
        "settlement": settled.basis.value if settled else None,
        "status": finished.status,
        "ending": finished.ending.value,
        "upstream_fault": finished.upstream_fault,
        "duration_ms": round(finished.duration_us / 1000, 1),
    }


def _account(summary: Summary) -> str | None:
    principal = summary.finished.principal
    return principal.account.id if principal else None

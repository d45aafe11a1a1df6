"""What was decided about one exchange, and why.

Answer, trace, metric and log are all written from this one value, so none of them can disagree.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.decision.plan import Charge, Estimate
from gateway.decision.port import Reading
from gateway.facts.refusal import QuotaState, Refusal
from gateway.values import made_often


class Verdict(StrEnum):
    ALLOW = "allow"
    REFUSE = "refuse"


class StoreState(StrEnum):
    """How the store took part in the decision."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    UNUSED = "unused"
    """No quota matched, so nobody was asked."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke."""

    policy_id: str
    code: str
    """A word from a closed list: `quota_exceeded`, `never_fits`, `would_refuse`, `near_limit`,
    `missing_fact`, `unpriced_model`, `store_unavailable`."""
    why: str
    """The operator's own sentence, for the engineer who reads the trace."""


@made_often
@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    digest: str
    """Of the policies by which it was made."""
    estimate: Estimate | None
    charges: tuple[Charge, ...]
    readings: tuple[Reading, ...]
    """One for each charge; empty if the store was not asked or did not answer."""
    binding: int | None
    """Index of the charge that decided: the one to wait for, or the one with least left."""
    reasons: tuple[Reason, ...]
    refusal: Refusal | None
    store: StoreState
    quota_states: tuple[QuotaState, ...] = ()
    """What the caller may see of its own limits."""

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW

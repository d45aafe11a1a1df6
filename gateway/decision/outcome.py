"""What was decided about one exchange, and why.

Answer, trace, metric and log are all written from this one value, so none of them can disagree.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.decision.plan import NO_GAPS, Charge, Estimate, Gaps, Overridden
from gateway.decision.port import Reading, StoreState
from gateway.decision.responses import FLEET, Obligations, obligations
from gateway.facts.refusal import QuotaState, Refusal
from gateway.policy.quota import Unit
from gateway.values import made_often


class Verdict(StrEnum):
    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke."""

    policy_id: str
    code: str
    """A word from a closed list: `quota_exceeded`, `never_fits`, `would_refuse`, `near_limit`,
    `missing_fact`, `unpriced_model`, `store_unavailable`; or an operator's own, by default
    `account_suspended`."""
    why: str
    """The operator's own sentence, for the engineer who reads the trace."""
    charge: int | None = None
    """Index of the charge that it is about; None if nothing was charged."""


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
    gaps: Gaps = NO_GAPS
    overridden: tuple[Overridden, ...] = ()
    """Quotas that did not apply since others did."""

    later_us: int = 0
    """Who is refused is told to come back so much later than he would be admitted."""

    standing: Standing = NO_STANDING
    """What behaviour policies held against the exchange."""

    @property
    def obligations(self) -> Obligations:
        """What has to be done to an exchange that is allowed."""
        return obligations(self.standing)

    @property
    def held_by_fleet(self) -> bool:
        """The budget of a flagged group refused it."""
        binding = self.binding
        return (
            not self.allowed
            and binding is not None
            and self.charges[binding].limit.quota_id == FLEET
        )

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW

    @property
    def degraded(self) -> bool:
        """It was made without the store."""
        return self.store in (StoreState.SHARE, StoreState.OPEN)

    @property
    def quota_states(self) -> tuple[QuotaState, ...]:
        """What the caller may see of its own limits."""
        return tuple(
            [
                _shown(charge, reading, self.later_us)
                for charge, reading in zip(self.charges, self.readings, strict=False)
                if not charge.shadow and charge.limit.quota_id != FLEET
            ]
        )


def _shown(charge: Charge, reading: Reading, later_us: int) -> QuotaState:
    limit = charge.bought or charge.limit
    wait_us = None if reading.fits else reading.retry_after_us
    return QuotaState(
        name=limit.quota_id,
        unit=limit.unit.value,
        limit=limit.amount,
        remaining=max(0, min(limit.amount, limit.ceiling - reading.used)),
        window_us=None if limit.unit is Unit.CONCURRENT else limit.window_us,
        full_after_us=reading.full_after_us,
        retry_after_us=None if wait_us is None else wait_us + later_us,
        refused=not reading.fits,
        weighted=limit.weights is not None,
    )

"""What a standing means for one exchange: refused, held to a budget, or changed on its way.

The responses of the ladder act together: a degraded account is throttled and tagged, too.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.behaviour.standing import Standing
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.behaviour import Rung
from gateway.policy.quota import Limit, Unit, WindowKind
from gateway.values import made_often

FLEET = "fleet"
"""The id of the budget that the members of a flagged group share; its partition is the group."""


@made_often
@dataclass(frozen=True, slots=True)
class Obligations:
    """What has to be done to an exchange that is allowed."""

    header: str | None = None
    """Set on the request to the upstream, with the name of the rung."""
    rung: str = Rung.NONE.word
    max_tokens: int | None = None
    """The highest ceiling of one answer."""
    choices: int | None = None
    """The most answers at once."""
    strip: frozenset[str] = frozenset()
    """`logprobs`, `reasoning`: neither asked for nor passed on."""
    traced: bool = False
    """Everything about it is traced, whatever is sampled."""

    @property
    def changes_request(self) -> bool:
        return bool(self.strip) or self.max_tokens is not None or self.choices is not None


NO_OBLIGATIONS = Obligations()


def obligations(standing: Standing) -> Obligations:
    if standing.response is Rung.NONE:
        return NO_OBLIGATIONS
    tag, degrade = standing.step(Rung.TAG), standing.step(Rung.DEGRADE)
    return Obligations(
        header=tag.header if tag else None,
        rung=standing.response.word,
        max_tokens=degrade.max_tokens if degrade else None,
        choices=degrade.choices if degrade else None,
        strip=frozenset(degrade.strip) if degrade else frozenset(),
        traced=True,
    )


def refusal(standing: Standing) -> Refusal | None:
    """A block is answered exactly as a suspension by hand: it tells nobody what gave him away."""
    if standing.response < Rung.CHALLENGE:
        return None
    if standing.response is Rung.BLOCK:
        return Refusal(
            RefusalKind.BLOCKED, "This account is suspended. Contact whoever gave you the key."
        )
    challenge = standing.step(Rung.CHALLENGE)
    if standing.response is Rung.CHALLENGE and challenge is not None:
        return Refusal(
            RefusalKind.CHALLENGE,
            "Before this account can go on, a person has to confirm that it is his: "
            f"{challenge.url}",
        )
    return None


def scaled(limit: Limit, standing: Standing) -> Limit:
    """What a throttled account has left of a limit of its own; at least one unit."""
    step = standing.step(Rung.THROTTLE)
    if step is None or step.scale >= 1:
        return limit
    return _scaled(limit, step.scale)


@lru_cache(4_096)
def _scaled(limit: Limit, scale: float) -> Limit:
    return replace(
        limit,
        amount=max(1, int(limit.amount * scale)),
        burst=max(1, int(limit.burst * scale)) if limit.burst else 0,
    )


def fleet_budget(standing: Standing) -> Limit | None:
    """What each flagged group may do in all, whose trait the request shows."""
    step = standing.step(Rung.THROTTLE) if standing.fleets else None
    return fleet_limit(step.fleet) if step is not None and step.fleet is not None else None


@lru_cache(64)
def fleet_limit(written: Limit) -> Limit:
    """The budget as it is counted: one at once, and the rest evenly.

    So a fleet is held from its first request after it was noticed, and not only when it has used
    up a day's budget.
    """
    return replace(
        written, quota_id=FLEET, unit=Unit.REQUESTS, kind=WindowKind.BUCKET, burst=1, period=None
    )

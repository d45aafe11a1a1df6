"""What one finished exchange comes to, in the few words that all writers share.

Span, metric, log line and status page are made from this, and this from the `Decision`: so none of
them can say something else than what was done.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.decision.finished import Finished
from gateway.decision.outcome import Decision
from gateway.decision.plan import Charge
from gateway.decision.port import Reading
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.quota import Unit

_TOKENS = frozenset({Unit.TOKENS, Unit.INPUT_TOKENS, Unit.OUTPUT_TOKENS})
_WAITING_HELPS = frozenset(
    {
        RefusalKind.RATE,
        RefusalKind.CONCURRENCY,
        RefusalKind.STORE_UNAVAILABLE,
        RefusalKind.IDENTITY_UNAVAILABLE,
        RefusalKind.OVERLOADED,
    }
)
_IN_SHADOW = frozenset({"would_refuse", "would_respond"})
"""Codes of reasons for which nothing is done."""

OTHER_ROUTE = "other"
"""The label of every path that no dialect declares."""


class Word(StrEnum):
    """What was decided, as spans and metrics say it."""

    ALLOW = "allow"
    THROTTLE = "throttle"
    """Refused, and waiting helps."""
    DENY = "deny"
    """Refused, and waiting does not help."""
    SHADOW_DENY = "shadow_deny"
    """A policy in shadow mode would have refused, or done something else."""
    UNJUDGED = "unjudged"
    """No policy was asked: no credential, unreadable, unknown route."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule that decided, or would have."""

    policy_id: str
    word: Word
    why: str | None
    """Known where there is a reason."""
    reason: str | None
    """Its code; None where the rule admitted and is not near its limit."""
    charge: Charge | None = None
    reading: Reading | None = None

    @property
    def shadow(self) -> bool:
        """Nothing was done for it."""
        return self.word is Word.SHADOW_DENY or (self.charge is not None and self.charge.shadow)

    @property
    def remaining(self) -> int | None:
        """As the caller's own headers say it."""
        if self.charge is None or self.reading is None:
            return None
        limit = self.charge.limit
        return max(0, min(limit.amount, limit.ceiling - self.reading.used))


@dataclass(frozen=True, slots=True)
class Summary:
    finished: Finished
    word: Word
    binding: Ruling | None
    """The rule to wait for, or the one of which least is left."""
    rulings: tuple[Ruling, ...]
    """Every decisive rule, the binding one first."""
    reserved_tokens: int | None
    """The most that was reserved against any limit of tokens; None if none was."""

    @property
    def route(self) -> str:
        route = self.finished.route
        return str(route.name) if route else OTHER_ROUTE

    @property
    def settled_tokens(self) -> int | None:
        settled = self.finished.settlement
        return settled.input_tokens + settled.output_tokens if settled else None

    @property
    def status_class(self) -> str:
        """`2xx` ... `5xx`; `none` if the client left before any status."""
        status = self.finished.status
        return "none" if status is None else f"{status // 100}xx"

    @property
    def upstream_us(self) -> int:
        """How long the model API and the way to the client took."""
        started_us = self.finished.upstream_started_at_us
        if started_us is None:
            return 0
        ended_us = self.finished.upstream_ended_at_us
        return (self.finished.ended_at_us if ended_us is None else ended_us) - started_us


def summarise(finished: Finished) -> Summary:
    decision = finished.decision
    if decision is None:
        return Summary(finished, Word.UNJUDGED, None, (), None)
    word = Word.ALLOW if decision.allowed else _refusing_word(decision.refusal)
    rulings = _rulings(decision, word)
    # Where no charge bound, the first rule that spoke did: a missing fact, or the store.
    bound = rulings[0] if rulings and not rulings[0].shadow else None
    return Summary(finished, word, bound, rulings, _reserved_tokens(decision))


def matched_policies(decision: Decision) -> tuple[str, ...]:
    """Each once, in the order of the policy files."""
    charged = tuple(dict.fromkeys(charge.limit.quota_id for charge in decision.charges))
    return charged or tuple(dict.fromkeys(reason.policy_id for reason in decision.reasons))


def _refusing_word(refusal: Refusal | None) -> Word:
    return Word.THROTTLE if refusal and refusal.kind in _WAITING_HELPS else Word.DENY


def _rulings(decision: Decision, word: Word) -> tuple[Ruling, ...]:
    """Of each charge that bound or about which there is a reason; then of what was not charged."""
    reasons = {reason.charge: reason for reason in decision.reasons if reason.charge is not None}
    rulings: list[Ruling] = []
    for i, (charge, reading) in enumerate(zip(decision.charges, decision.readings, strict=False)):
        binds = i == decision.binding
        reason = reasons.get(i)
        if reason is None and not binds:
            continue
        ruling = Ruling(
            charge.limit.quota_id,
            _charge_word(charge, reading),
            reason.why if reason else None,
            reason.code if reason else None,
            charge,
            reading,
        )
        rulings.insert(0 if binds else len(rulings), ruling)
    rulings += [
        Ruling(
            reason.policy_id,
            Word.SHADOW_DENY if reason.code in _IN_SHADOW else word,
            reason.why,
            reason.code,
        )
        for reason in decision.reasons
        if reason.charge is None
    ]
    return tuple(rulings)


def _charge_word(charge: Charge, reading: Reading) -> Word:
    if reading.fits:
        return Word.ALLOW
    if charge.shadow:
        return Word.SHADOW_DENY
    waiting_helps = reading.retry_after_us is not None or charge.limit.unit is Unit.CONCURRENT
    return Word.THROTTLE if waiting_helps else Word.DENY


def _reserved_tokens(decision: Decision) -> int | None:
    amounts = [
        charge.amount
        for charge, reading in zip(decision.charges, decision.readings, strict=False)
        if reading.charged and not charge.shadow and charge.limit.unit in _TOKENS
    ]
    return max(amounts, default=None)

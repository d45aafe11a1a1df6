"""What has been decided so far, added up: a small row for each account and label.

Memory grows with the number of accounts and policies, never with the length of the traffic.
"""

from dataclasses import dataclass, field

from gateway.decision.outcome import Decision, Reason
from gateway.replay.judged import Judged
from gateway.replay.series import SHARES, Series

DAY_US = 86_400_000_000

WOULD_REFUSE = "would_refuse"
"""The code of what a policy in shadow mode says."""

NEAR_LIMIT = "near_limit"
"""The code of a warning: nothing is refused for it."""


@dataclass(slots=True)
class AccountTally:
    """Of one account, as far as its exchanges carry one label."""

    account: str
    label: str | None
    exchanges: int = 0
    tokens: int = 0
    """As the traffic reports them, in and out, whether or not they are allowed here."""
    refused: int = 0
    refused_tokens: int = 0
    would_refuse: int = 0
    """Allowed, and a policy in shadow mode would have refused."""
    days: int = 0
    """UTC days with at least one exchange."""
    days_refused: int = 0
    first_refused_us: int | None = None
    last_refused_us: int | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    """How often which policy spoke against it, or what was wrong with its requests."""
    least_left: float = 1.0
    """The smallest share that was ever left of the limit that was nearest."""
    day: int = -1
    day_refused: bool = False


@dataclass(slots=True)
class PolicyTally:
    """What one policy refused, alone or with others; in shadow mode, what it would have."""

    exchanges: int = 0
    tokens: int = 0
    accounts: set[str] = field(default_factory=set)
    shadow: bool = False
    why: str = ""


@dataclass(slots=True)
class LabelTally:
    """How much of a label passed before the first of its exchanges was refused."""

    caught: bool = False
    exchanges_before: int = 0
    tokens_before: int = 0


class Tally:
    """An observer of one side."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str | None], AccountTally] = {}
        self.policies: dict[str, PolicyTally] = {}
        """Those that spoke against anything, by id."""
        self.labels: dict[str, LabelTally] = {}
        self.series = Series()
        self.rejected: dict[str, int] = {}
        """Requests that no policy saw, by what is wrong with them."""
        self.first_us = 0
        self.last_us = 0

    def note(self, judged: Judged) -> None:
        record, at_us, decision = judged.record, judged.at_us, judged.decision
        key = record.account, record.label
        row = self.rows.get(key)
        if row is None:
            row = self._begin(key, at_us)
        tokens = record.response.tokens
        row.exchanges += 1
        row.tokens += tokens
        day = at_us // DAY_US
        if day != row.day:
            row.day, row.day_refused = day, False
            row.days += 1
        span = self.series.at(at_us)
        span.exchanges += 1
        self.last_us = at_us
        if decision is not None and decision.binding is not None:
            left = _left(decision, decision.binding)
            row.least_left = min(row.least_left, left)
            span.left[min(SHARES - 1, int(left * SHARES))] += 1
        if decision is None or decision.reasons:
            self._speak_against(judged, spoken_against(decision), row, tokens)
        if record.label is not None:
            label = self.labels[record.label]
            if not label.caught:
                if judged.refusal is None:
                    label.exchanges_before += 1
                    label.tokens_before += tokens
                else:
                    label.caught = True

    def _begin(self, key: tuple[str, str | None], at_us: int) -> AccountTally:
        account, label = key
        if not self.rows:
            self.first_us = at_us
        if label is not None:
            self.labels.setdefault(label, LabelTally())
        row = self.rows[key] = AccountTally(account, label)
        return row

    def _speak_against(
        self, judged: Judged, reasons: list[Reason], row: AccountTally, tokens: int
    ) -> None:
        """The rare case, and therefore the only one that may take its time."""
        refusal = judged.refusal
        span = self.series.at(judged.at_us)
        if refusal is None and not reasons:
            return
        if refusal is None:
            row.would_refuse += 1
            span.would_refuse += 1
        else:
            span.refused += 1
            _refuse(row, judged.at_us, tokens)
        for policy_id in self._policies(reasons, row.account, tokens):
            row.reasons[policy_id] = row.reasons.get(policy_id, 0) + 1
            span.by_policy[policy_id] = span.by_policy.get(policy_id, 0) + 1
        if judged.decision is None and refusal is not None:
            kind = str(refusal.kind)
            self.rejected[kind] = self.rejected.get(kind, 0) + 1
            row.reasons[kind] = row.reasons.get(kind, 0) + 1

    def _policies(self, reasons: list[Reason], account: str, tokens: int) -> list[str]:
        """All that spoke, each once however many of its limits did, in a fixed order."""
        spoken: list[str] = []
        for reason in reasons:
            if reason.policy_id not in spoken:
                spoken.append(reason.policy_id)
                tally = self.policies.setdefault(reason.policy_id, PolicyTally(why=reason.why))
                tally.shadow = reason.code == WOULD_REFUSE
                tally.exchanges += 1
                tally.tokens += tokens
                tally.accounts.add(account)
        return spoken


def spoken_against(decision: Decision | None) -> list[Reason]:
    """The reasons for which a policy refused, or would have in shadow mode."""
    return [r for r in decision.reasons if r.code != NEAR_LIMIT] if decision is not None else []


def _refuse(row: AccountTally, at_us: int, tokens: int) -> None:
    row.refused += 1
    row.refused_tokens += tokens
    row.last_refused_us = at_us
    if row.first_refused_us is None:
        row.first_refused_us = at_us
    if not row.day_refused:
        row.day_refused = True
        row.days_refused += 1


def _left(decision: Decision, binding: int) -> float:
    """The share that is left of the limit that decides; below zero where there are debts."""
    ceiling = decision.charges[binding].limit.ceiling
    return max(0.0, (ceiling - decision.readings[binding].used) / ceiling)

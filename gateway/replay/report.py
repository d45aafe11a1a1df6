"""What a set of policies would have done to whom: the values that every report is printed from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.policy.quota import Policies
from gateway.replay.series import Series
from gateway.replay.tally import AccountTally, Tally

TOP_ACCOUNTS = 20

INNOCENT = "benign"
"""Labels that begin with this tell of traffic that nobody wants refused."""


@dataclass(frozen=True, slots=True)
class PolicyRow:
    id: str
    mode: str
    """`shadow`: the figures are what it would have refused."""
    exchanges: int
    accounts: int
    tokens: int
    """As the traffic reports them of these exchanges."""
    why: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: str
    labels: tuple[str, ...]
    exchanges: int
    refused: int
    would_refuse: int
    tokens: int
    refused_tokens: int
    least_left: float
    first_refused_at: float | None
    last_refused_at: float | None
    reasons: dict[str, int] = field(default_factory=dict)
    """How often which policy spoke against it, those in shadow mode, too; the greatest first."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    label: str
    innocent: bool
    accounts: int
    accounts_refused: int
    exchanges: int
    refused: int
    account_days: int
    account_days_refused: int
    account_day_bound: float | None
    """Where no account-day was hit: the rate below which this proves it, with 95 % confidence."""
    tokens: int
    refused_tokens: int
    exchanges_before_refusal: int | None
    """Allowed before the first refusal of this label; None if none was refused."""
    tokens_before_refusal: int

    @property
    def refused_share(self) -> float:
        return self.refused / self.exchanges

    @property
    def account_day_share(self) -> float:
        return self.account_days_refused / self.account_days


@dataclass(frozen=True, slots=True)
class Report:
    """Of one side. Times are seconds since the epoch."""

    policies: str
    """Where they were read from."""
    digest: str
    first_at: float
    last_at: float
    accounts: int
    accounts_refused: int
    exchanges: int
    refused: int
    would_refuse: int
    rejected: dict[str, int]
    """Refused before any policy saw them, by reason; part of `refused`."""
    tokens: int
    refused_tokens: int
    by_policy: tuple[PolicyRow, ...]
    top_accounts: tuple[AccountRow, ...]
    labels: tuple[LabelRow, ...]
    series: Series
    accounts_by_least_left: tuple[int, ...]
    """How near accounts came to a limit, in steps of a tenth: the first used up 90 to 100 %."""


def make_report(where: str, policies: Policies, tally: Tally) -> Report:
    accounts = account_rows(tally)
    return Report(
        policies=where,
        digest=policies.digest,
        first_at=tally.first_us / 1e6,
        last_at=tally.last_us / 1e6,
        accounts=len(accounts),
        accounts_refused=sum(1 for row in accounts if row.refused),
        exchanges=sum(row.exchanges for row in accounts),
        refused=sum(row.refused for row in accounts),
        would_refuse=sum(row.would_refuse for row in accounts),
        rejected=_by_count(tally.rejected),
        tokens=sum(row.tokens for row in accounts),
        refused_tokens=sum(row.refused_tokens for row in accounts),
        by_policy=_policy_rows(policies, tally),
        top_accounts=tuple(sorted(filter(_touched, accounts), key=_rank)[:TOP_ACCOUNTS]),
        labels=_label_rows(tally),
        series=tally.series,
        accounts_by_least_left=_tenths(row.least_left for row in accounts),
    )


def account_rows(tally: Tally) -> list[AccountRow]:
    """One for each account, all its labels together."""
    by_account: dict[str, list[AccountTally]] = {}
    for row in tally.rows.values():
        by_account.setdefault(row.account, []).append(row)
    return [_account_row(account, rows) for account, rows in by_account.items()]


def _account_row(account: str, rows: Sequence[AccountTally]) -> AccountRow:
    reasons: dict[str, int] = {}
    for row in rows:
        for policy_id, count in row.reasons.items():
            reasons[policy_id] = reasons.get(policy_id, 0) + count
    first = [row.first_refused_us for row in rows if row.first_refused_us is not None]
    last = [row.last_refused_us for row in rows if row.last_refused_us is not None]
    return AccountRow(
        account=account,
        labels=tuple(row.label for row in rows if row.label is not None),
        exchanges=sum(row.exchanges for row in rows),
        refused=sum(row.refused for row in rows),
        would_refuse=sum(row.would_refuse for row in rows),
        tokens=sum(row.tokens for row in rows),
        refused_tokens=sum(row.refused_tokens for row in rows),
        least_left=min(row.least_left for row in rows),
        first_refused_at=min(first) / 1e6 if first else None,
        last_refused_at=max(last) / 1e6 if last else None,
        reasons=_by_count(reasons),
    )


def _policy_rows(policies: Policies, tally: Tally) -> tuple[PolicyRow, ...]:
    """All of the directory in its order, also those that refused nothing."""
    modes = {quota.id: (str(quota.mode), quota.why) for quota in policies.quotas}
    for policy_id, spoke in tally.policies.items():
        modes.setdefault(policy_id, ("shadow" if spoke.shadow else "enforce", spoke.why))
    rows = []
    for policy_id, (mode, why) in modes.items():
        spoken = tally.policies.get(policy_id)
        figures = (spoken.exchanges, len(spoken.accounts), spoken.tokens) if spoken else (0, 0, 0)
        rows.append(PolicyRow(policy_id, mode, *figures, why))
    return tuple(rows)


def _label_rows(tally: Tally) -> tuple[LabelRow, ...]:
    return tuple(_label_row(label, tally) for label in sorted(tally.labels))


def _label_row(label: str, tally: Tally) -> LabelRow:
    rows = [row for row in tally.rows.values() if row.label == label]
    days, days_refused = sum(row.days for row in rows), sum(row.days_refused for row in rows)
    story = tally.labels[label]
    return LabelRow(
        label=label,
        innocent=label.startswith(INNOCENT),
        accounts=len(rows),
        accounts_refused=sum(1 for row in rows if row.refused),
        exchanges=sum(row.exchanges for row in rows),
        refused=sum(row.refused for row in rows),
        account_days=days,
        account_days_refused=days_refused,
        account_day_bound=min(1.0, 3 / days) if not days_refused else None,  # the rule of three
        tokens=sum(row.tokens for row in rows),
        refused_tokens=sum(row.refused_tokens for row in rows),
        exchanges_before_refusal=story.exchanges_before if story.caught else None,
        tokens_before_refusal=story.tokens_before,
    )


def _touched(row: AccountRow) -> bool:
    return bool(row.refused or row.would_refuse)


def _rank(row: AccountRow) -> tuple[int, int, str]:
    return -row.refused, -row.would_refuse, row.account


def _by_count(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _tenths(shares: Iterable[float]) -> tuple[int, ...]:
    counts = [0] * 10
    for share in shares:
        counts[min(9, int(share * 10))] += 1
    return tuple(counts)

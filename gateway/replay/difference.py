"""Two sets of policies over the same traffic: who would fare otherwise."""

from dataclasses import dataclass

from gateway.replay.report import account_rows
from gateway.replay.tally import Tally


@dataclass(frozen=True, slots=True)
class Changed:
    """One account that the two sets do not treat alike."""

    account: str
    labels: tuple[str, ...]
    exchanges: int
    refused: int
    """Under the set that is being tried (`--policies`)."""
    refused_against: int
    """Under the one it is compared with (`--against`)."""
    refused_tokens: int
    refused_tokens_against: int
    reasons: dict[str, int]
    reasons_against: dict[str, int]

    @property
    def more_refused(self) -> int:
        return self.refused - self.refused_against


@dataclass(frozen=True, slots=True)
class Difference:
    newly_refused: int
    """Accounts that only the set being tried refuses anything."""
    no_longer_refused: int
    accounts: tuple[Changed, ...]
    """All that differ; the greatest difference first."""


def difference(tried: Tally, against: Tally) -> Difference:
    others = {row.account: row for row in account_rows(against)}
    changed = []
    for row in account_rows(tried):
        other = others[row.account]
        if (row.refused, row.reasons) != (other.refused, other.reasons):
            changed.append(
                Changed(
                    account=row.account,
                    labels=row.labels,
                    exchanges=row.exchanges,
                    refused=row.refused,
                    refused_against=other.refused,
                    refused_tokens=row.refused_tokens,
                    refused_tokens_against=other.refused_tokens,
                    reasons=row.reasons,
                    reasons_against=other.reasons,
                )
            )
    changed.sort(key=lambda one: (-abs(one.more_refused), one.account))
    return Difference(
        newly_refused=sum(1 for one in changed if one.refused and not one.refused_against),
        no_longer_refused=sum(1 for one in changed if one.refused_against and not one.refused),
        accounts=tuple(changed),
    )

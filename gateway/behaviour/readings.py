"""What the measures of a rule say of a group; each is worked out only when it is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from gateway.behaviour.layout import Kind, Layout, sum_signature
from gateway.behaviour.members import Member, evenness, independent, top_share
from gateway.behaviour.pool import Likeness
from gateway.behaviour.population import Population
from gateway.behaviour.states import AccountState, GroupState, Tally
from gateway.policy.behaviour import HOUR_US, Behaviour, Function, Measure, WindowUnit

MOST_EACH = 3
"""So many accounts of one owner count for `independent_accounts`."""

AT_WORK = 3
"""Members with fewer requests are left out of z-scores: nothing can be told of them."""

_FOREVER_US = 1 << 60


@dataclass(frozen=True, slots=True)
class Subject:
    """About whom a rule is asked, and when."""

    kind: Kind
    tally: Tally
    """Of a group, or of an account."""
    first_us: int
    at_us: int


class Readings(Mapping[str, float]):
    """By the names of the measures."""

    def __init__(
        self,
        rule: Behaviour,
        subject: Subject,
        layout: Layout,
        population: Population,
        fleets: Sequence[Likeness] = (),
    ) -> None:
        self._measures = {measure.name: measure for measure in rule.measures}
        self._kind = subject.kind
        self._layout = layout
        self._tally = subject.tally
        self._group = subject.tally if isinstance(subject.tally, GroupState) else None
        self._first_us = subject.first_us
        self._at_us = subject.at_us
        self._population = population
        self._fleets = fleets
        self._read: dict[str, float] = {}
        self._within: dict[int, list[Member]] = {}

    def __getitem__(self, name: str) -> float:
        if name not in self._read:
            measure = self._measures[name]
            self._read[name] = _FUNCTIONS[measure.function](self, measure)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._measures)

    def __len__(self) -> int:
        return len(self._measures)

    def _members(self, measure: Measure) -> list[Member]:
        if self._group is None:
            return []
        over = measure.over
        window_us = over.amount if over.unit is WindowUnit.TIME else _FOREVER_US
        if window_us not in self._within:
            self._within[window_us] = self._group.members.since(self._at_us - window_us)
        return self._within[window_us]

    def _at(self, measure: Measure) -> int:
        return self._layout.places[str(measure.expression)]

    def _flagged(self, measure: Measure, members: list[Member]) -> int:
        bit = 1 << self._kind.flags.index(self._at(measure))
        return sum(1 for member in members if member.flags & bit)

    def _sums(self, measure: Measure) -> tuple[int, float]:
        sums = self._tally.sums.get(sum_signature(measure))
        return sums.read(self._at_us) if sums else (0, 0.0)

    def _count(self, measure: Measure) -> float:
        count, total = self._sums(measure)
        return float(count) if measure.expression is None else total

    def _sum(self, measure: Measure) -> float:
        return self._sums(measure)[1]

    def _mean(self, measure: Measure) -> float:
        count, total = self._sums(measure)
        return total / count if count else 0.0

    def _accounts(self, measure: Measure) -> float:
        members = self._members(measure)
        found = len(members) if measure.expression is None else self._flagged(measure, members)
        return self._group.members.number(found) if self._group else 0.0

    def _share_of_accounts(self, measure: Measure) -> float:
        members = self._members(measure)
        return self._flagged(measure, members) / len(members) if members else 0.0

    def _independent(self, measure: Measure) -> float:
        column = self._kind.columns.index(self._at(measure))
        found = independent(self._members(measure), column, MOST_EACH)
        return self._group.members.number(found) if self._group else 0.0

    def _top_share(self, measure: Measure) -> float:
        return top_share(self._members(measure), self._kind.columns.index(self._at(measure)))

    def _distinct(self, measure: Measure) -> float:
        if measure.expression == "account.id":
            return self._group.members.number(len(self._members(measure))) if self._group else 1.0
        values = self._tally.distinct.get(str(measure.expression))
        over = measure.over
        since_us = self._at_us - over.amount if over.unit is WindowUnit.TIME else 0
        return values.number(since_us) if values else 0.0

    def _evenness(self, measure: Measure) -> float:
        return evenness(self._members(measure))

    def _exchangeability(self, _: Measure) -> float:
        cohort = self._group.cohort if self._group else None
        return cohort.exchangeability(self._population.usual) if cohort else 0.0

    def _cohesion(self, _: Measure) -> float:
        cohort = self._group.cohort if self._group else None
        return cohort.cohesion(self._population.usual) if cohort else 0.0

    def _pooled(self, _: Measure) -> float:
        cohort = self._group.cohort if self._group else None
        return float(cohort.prompts) if cohort else 0.0

    def _kinship(self, _: Measure) -> float:
        asked = self._group.questions if self._group else None
        if asked is None:
            return 0.0
        usual = self._population.usual
        return max((fleet.kinship(asked, usual) for fleet in self._fleets), default=0.0)

    def _zscore(self, measure: Measure) -> float:
        """(k - n p) / sqrt(n p (1 - p)) of members that have been at work."""
        members = [one for one in self._members(measure) if one.requests >= AT_WORK]
        n, p = len(members), self._population.share(str(measure.expression))
        return (self._flagged(measure, members) - n * p) / sqrt(n * p * (1 - p)) if n else 0.0

    def _regularity(self, _: Measure) -> float:
        return self._tally.gaps.regularity() if self._tally.gaps else 0.0

    def _age_hours(self, _: Measure) -> float:
        return (self._at_us - self._first_us) / HOUR_US

    def _surge(self, measure: Measure) -> float:
        sums = self._tally.sums.get(sum_signature(measure))
        return sums.surge(self._at_us) if sums else 0.0


_FUNCTIONS: Mapping[Function, Callable[[Readings, Measure], float]] = {
    Function.COUNT: Readings._count,  # noqa: SLF001  the table of what a reading can be
    Function.SUM: Readings._sum,  # noqa: SLF001
    Function.MEAN: Readings._mean,  # noqa: SLF001
    Function.SHARE: Readings._mean,  # noqa: SLF001  of a condition's 0 and 1
    Function.ACCOUNTS: Readings._accounts,  # noqa: SLF001
    Function.SHARE_OF_ACCOUNTS: Readings._share_of_accounts,  # noqa: SLF001
    Function.INDEPENDENT_ACCOUNTS: Readings._independent,  # noqa: SLF001
    Function.DISTINCT: Readings._distinct,  # noqa: SLF001
    Function.TOP_SHARE: Readings._top_share,  # noqa: SLF001
    Function.EVENNESS: Readings._evenness,  # noqa: SLF001
    Function.EXCHANGEABILITY: Readings._exchangeability,  # noqa: SLF001
    Function.COHESION: Readings._cohesion,  # noqa: SLF001
    Function.POOLED: Readings._pooled,  # noqa: SLF001
    Function.KINSHIP: Readings._kinship,  # noqa: SLF001
    Function.ZSCORE: Readings._zscore,  # noqa: SLF001
    Function.REGULARITY: Readings._regularity,  # noqa: SLF001
    Function.AGE_HOURS: Readings._age_hours,  # noqa: SLF001
    Function.SURGE: Readings._surge,  # noqa: SLF001
}


def of_account(state: AccountState, kind: Kind) -> Tally:
    """What is kept of an account for the rules that judge it by itself."""
    return state.tallies.setdefault(kind.salt, Tally())

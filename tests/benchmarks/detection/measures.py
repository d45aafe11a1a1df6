"""The protocol's measures, added up exchange by exchange."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.replay.record import Record
from tests.benchmarks.detection.verdicts import RUNGS, THROTTLE, Verdict

DAY_S = 86_400
HOUR_S = 3_600
SEVERAL = 5
"""Exchanges, from which on an account of a campaign ought to have been found."""


@dataclass(slots=True)
class AccountShare:
    """Of one account of a campaign."""

    exchanges: int = 0
    tokens: int = 0
    leaked_tokens: int = 0
    rung: int = 0


@dataclass(slots=True)
class CampaignMeasure:
    """Of one campaign, or of one wave of it. Tokens are those of answers."""

    exchanges: int = 0
    harvested: int = 0
    """Without cover."""
    tokens: int = 0
    detected: int | None = None
    """Exchanges up to and including the first at throttle or above; None: never."""
    detected_harvested: int | None = None
    """The same without counting cover."""
    detected_after_s: float | None = None
    contained: int | None = None
    """Exchanges up to and including the first that a rung kept from its full answer."""
    contained_harvested: int | None = None
    """The same without counting cover: against the target."""
    leaked: int = 0
    leaked_harvested: int = 0
    leaked_tokens: int = 0
    after_tokens: int = 0
    """Since it was detected."""
    after_stopped_tokens: int = 0
    accounts: dict[str, AccountShare] = field(default_factory=dict)
    instruments: set[str] = field(default_factory=set)
    began_s: float | None = None
    by_hour: dict[int, list[int]] = field(default_factory=dict)
    """Hours since it began: exchanges sent, exchanges leaked."""

    def note(self, record: Record, verdict: Verdict, *, cover: bool) -> None:
        tokens = _output_tokens(record)
        if self.began_s is None:
            self.began_s = record.at
        self.exchanges += 1
        self.harvested += not cover
        self.tokens += tokens
        account = self.accounts.setdefault(record.account, AccountShare())
        account.exchanges += 1
        account.tokens += tokens
        account.rung = max(account.rung, verdict.rung)
        payment = record.attributes.get("payment")
        if isinstance(payment, str):
            self.instruments.add(payment)
        if self.detected is not None:
            self.after_tokens += tokens
            self.after_stopped_tokens += 0 if verdict.leaked else tokens
        elif verdict.detected:
            self.detected, self.detected_harvested = self.exchanges, self.harvested
            self.detected_after_s = record.at - self.began_s
        if self.contained is None and verdict.contained:
            self.contained, self.contained_harvested = self.exchanges, self.harvested
        hour = self.by_hour.setdefault(int((record.at - self.began_s) // HOUR_S), [0, 0])
        hour[0] += 1
        if verdict.leaked:
            self.leaked += 1
            self.leaked_harvested += not cover
            self.leaked_tokens += tokens
            account.leaked_tokens += tokens
            hour[1] += 1


@dataclass(slots=True)
class AccountDays:
    """Of one honest account: days with an exchange, and of these, days at each rung or above."""

    days: int = 0
    hits: list[int] = field(default_factory=lambda: [0] * len(RUNGS))
    day: int = -1
    day_rung: int = 0


@dataclass(slots=True)
class PopulationMeasure:
    """Of one honest population, from the first day of the test on."""

    exchanges: int = 0
    refused: int = 0
    """By whatever: quotas count too."""
    tokens: int = 0
    hit_tokens: int = 0
    """At throttle or above."""
    accounts: dict[str, AccountDays] = field(default_factory=dict)

    def note(self, record: Record, verdict: Verdict) -> None:
        self.exchanges += 1
        self.refused += not verdict.allowed
        tokens = record.response.tokens
        self.tokens += tokens
        self.hit_tokens += tokens if verdict.rung >= THROTTLE else 0
        account = self.accounts.get(record.account)
        if account is None:
            account = self.accounts[record.account] = AccountDays()
        day = int(record.at // DAY_S)
        if day != account.day:
            account.day, account.day_rung = day, 0
            account.days += 1
            account.hits[0] += 1
        while account.day_rung < verdict.rung:
            account.day_rung += 1
            account.hits[account.day_rung] += 1

    @property
    def account_days(self) -> int:
        return sum(one.days for one in self.accounts.values())

    def hits(self, rung: int) -> int:
        return sum(one.hits[rung] for one in self.accounts.values())


@dataclass(slots=True)
class Measures:
    """Of one run under one engine."""

    test_from_s: float
    campaigns: dict[str, CampaignMeasure] = field(default_factory=dict)
    """By name; `name/wave-2` beside it for its second wave."""
    populations: dict[str, PopulationMeasure] = field(default_factory=dict)
    """By name; `name/victim` for those that a campaign imitates."""

    def note(self, record: Record, verdict: Verdict) -> None:
        side, _, name = (record.label or "benign/unlabelled").partition("/")
        if side != "campaign":
            if record.at >= self.test_from_s:
                self.populations.setdefault(name, PopulationMeasure()).note(record, verdict)
            return
        name, *more = name.split("/")
        cover = "cover" in more
        waves = [part for part in more if part.startswith("wave-")]
        for key in (name, f"{name}/{waves[0]}" if waves else f"{name}/wave-1"):
            measure = self.campaigns.setdefault(key, CampaignMeasure())
            measure.note(record, verdict, cover=cover)

    @property
    def attribution(self) -> tuple[float | None, float | None]:
        """Precision over accounts that reached throttle; recall over those that sent several."""
        caught = several = several_caught = 0
        for key, measure in self.campaigns.items():
            if "/" in key:
                continue
            for account in measure.accounts.values():
                caught += account.rung >= THROTTLE
                several += account.exchanges >= SEVERAL
                several_caught += account.exchanges >= SEVERAL and account.rung >= THROTTLE
        wrong = sum(
            account.hits[THROTTLE] > 0
            for population in self.populations.values()
            for account in population.accounts.values()
        )
        precision = caught / (caught + wrong) if caught + wrong else None
        return precision, several_caught / several if several else None

    @property
    def collateral(self) -> float:
        """The share of honest tokens at throttle or above."""
        tokens = sum(one.tokens for one in self.populations.values())
        return sum(one.hit_tokens for one in self.populations.values()) / tokens if tokens else 0.0


def measured(pairs: Iterable[tuple[Record, Verdict]], test_from_s: float) -> Measures:
    """Of traffic and its decisions, side by side."""
    measures = Measures(test_from_s)
    for record, verdict in pairs:
        measures.note(record, verdict)
    return measures


def _output_tokens(record: Record) -> int:
    usage = record.response.usage
    return 0 if usage is None else usage.output_tokens or 0

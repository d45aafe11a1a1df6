"""What came of the traffic so far: of every account, of every entry, and of all together."""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.decision.outcome import Decision
from gateway.policy.quota import Limit
from gateway.policy.spoken import spoken_amount, spoken_limit
from gateway.replay.judged import Judged
from gateway.replay.tally import NEAR_LIMIT, WOULD_REFUSE
from gateway.scenarios.arrivals import Arrival

ANY = ""
"""In the place of a quota's id: whichever."""


class Refused(NamedTuple):
    """A request that was refused, or (in shadow mode) would have been."""

    judged: Judged
    number: int
    """Its place among the account's requests, from 1."""
    allowed_before: int
    """Of the group whose first refusal this is."""
    by: tuple[str, ...]

    @property
    def at_us(self) -> int:
        return self.judged.at_us

    @property
    def account(self) -> str:
        return self.judged.record.account

    @property
    def explained(self) -> str:
        """The rule's value and its limit, or what was wrong with the request."""
        decision = self.judged.decision
        if decision is not None:
            for charge, reading in zip(decision.charges, decision.readings, strict=False):
                if charge.limit.quota_id in self.by and not reading.fits:
                    asked = spoken_amount(charge.limit.unit, charge.amount)
                    used = spoken_amount(charge.limit.unit, reading.used)
                    return f"asks for {asked}; {used} of {spoken_limit(charge.limit)} are used"
        refusal = self.judged.refusal
        return refusal.message if refusal is not None else ""


@dataclass(frozen=True, slots=True)
class Near:
    """How near a limit came to being used up."""

    used: int
    limit: Limit
    at_us: int
    account: str

    @property
    def share(self) -> float:
        return self.used / self.limit.ceiling

    def __str__(self) -> str:
        used = spoken_amount(self.limit.unit, self.used)
        return f"{used} of {spoken_limit(self.limit)} ({self.share:.0%})"


@dataclass(slots=True)
class Group:
    """One account, one entry of traffic, or all."""

    sent: int = 0
    allowed: int = 0
    began_us: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """By quota, and under `ANY` each once."""
    would_refuse: dict[str, int] = field(default_factory=dict)
    first: dict[str, Refused] = field(default_factory=dict)
    """The first refusal, by quota, and under `ANY` of all."""
    last: Refused | None = None


@dataclass(slots=True)
class Span:
    """A piece of the scenario's time."""

    allowed: int = 0
    refused: int = 0
    would_refuse: int = 0


class Counted:
    """An observer of the engine."""

    def __init__(self, names: tuple[str, ...], begins_us: int, span_us: int) -> None:
        """`names` are those of the entries; what happened is also told for every `span_us`."""
        self.whole = Group()
        self.entries = [Group() for _ in names]
        self.accounts: list[dict[str, Group]] = [{} for _ in names]
        self.nearest: list[dict[str, Near]] = [{} for _ in names]
        """Of every entry, by meter."""
        self.spans: dict[int, Span] = {}
        self._begins_us = begins_us
        self._span_us = span_us

    def note(self, arrival: Arrival, judged: Judged) -> None:
        account = judged.record.account
        mine = self.accounts[arrival.entry].setdefault(account, Group())
        decision = judged.decision
        by = _spoken(decision, shadow=False) if not judged.allowed else ()
        would = _spoken(decision, shadow=True)
        at = (judged.at_us - self._begins_us) // self._span_us
        span = self.spans.get(at) or self.spans.setdefault(at, Span())
        span.allowed += judged.allowed
        span.refused += not judged.allowed
        span.would_refuse += bool(would)
        for group in (mine, self.entries[arrival.entry], self.whole):
            group.began_us = group.began_us or judged.at_us
            group.sent += 1
            if judged.allowed:
                group.allowed += 1
            else:
                for quota in (ANY, *by):
                    group.refused[quota] = group.refused.get(quota, 0) + 1
            if would:
                for quota in (ANY, *would):
                    group.would_refuse[quota] = group.would_refuse.get(quota, 0) + 1
            if not judged.allowed or would:
                _remember(group, judged, mine.sent, by, would)
        if decision is not None:
            self._note_nearest(self.nearest[arrival.entry], judged, decision)

    def spoke(self) -> set[str]:
        """Ids of the quotas that refused anything, or would have."""
        return (self.whole.refused.keys() | self.whole.would_refuse.keys()) - {ANY}

    @staticmethod
    def _note_nearest(nearest: dict[str, Near], judged: Judged, decision: Decision) -> None:
        for charge, reading in zip(decision.charges, decision.readings, strict=False):
            limit = charge.limit
            known = nearest.get(limit.meter)
            if known is None or reading.used * known.limit.ceiling > known.used * limit.ceiling:
                nearest[limit.meter] = Near(
                    reading.used, limit, judged.at_us, judged.record.account
                )


def _spoken(decision: Decision | None, *, shadow: bool) -> tuple[str, ...]:
    if decision is None or not decision.reasons:
        return ()
    return tuple(
        dict.fromkeys(
            reason.policy_id
            for reason in decision.reasons
            if reason.code != NEAR_LIMIT and (reason.code == WOULD_REFUSE) is shadow
        )
    )


def _remember(
    group: Group, judged: Judged, number: int, by: tuple[str, ...], would: tuple[str, ...]
) -> None:
    event = Refused(judged, number, group.allowed - judged.allowed, by or would)
    for quota in would:
        if quota not in group.first:
            group.first[quota] = event._replace(by=would)
    if judged.allowed:
        return
    for quota in (ANY, *by):
        if quota not in group.first:
            group.first[quota] = event
    group.last = event

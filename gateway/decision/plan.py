"""Policies and facts make a plan: what to charge, to whom, before anything is known of the answer.

The plan is made without asking anybody. It is what the store reserves in one step, all or nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.decision.responses import fleet_budget, scaled
from gateway.facts.catalog import Facts, partition_value
from gateway.policy.quota import Limit, Missing, Mode, Policies, Quota, Unit, Unpriced
from gateway.policy.weights import Weights
from gateway.values import made_often

UNDECLARED_SHARE = 4
"""A request that declares no ceiling reserves at most this part of a limit."""


@made_often
@dataclass(frozen=True, slots=True)
class Partition:
    """Whose counter: the facts by which a quota is counted, with their values.

    Two partitions are one only if every name and value is the same; `store.keys` hashes them so
    that no value can imitate another's key.
    """

    parts: tuple[tuple[str, str], ...]


@made_often
@dataclass(frozen=True, slots=True)
class Charge:
    """Units against one limit of one partition."""

    limit: Limit
    partition: Partition
    amount: int
    """What is reserved. Never negative; 0 is planned for nothing."""
    shadow: bool = False
    price: Weights | None = None
    """Of a limit in money: what the model's tokens cost when the plan was made."""
    bought: Limit | None = None
    """The limit as the account knows it, if a response leaves it less; None: it is the same."""

    @property
    def of_tokens(self) -> Weights | None:
        """By what tokens are counted; None if they are not."""
        return self.price or self.limit.of_tokens


@made_often
@dataclass(frozen=True, slots=True)
class Estimate:
    """What one exchange is expected to use at most."""

    input_tokens: int
    output_tokens: int
    """Over all choices."""
    declared: bool
    """The caller declared the ceiling; otherwise it was learned."""


class Lack(StrEnum):
    """What a request lacks if a quota refuses it without counting. Codes of reasons."""

    PARTITION = "missing_fact"
    """A fact to count by, and the quota says `missing: refuse`."""
    PRICE = "unpriced_model"
    """A price of its model, and the quota says `unpriced: refuse`."""


@made_often
@dataclass(frozen=True, slots=True)
class Gaps:
    """What a request did not tell, by ids of policies. Each policy has its way to do without."""

    conditions: tuple[str, ...] = ()
    """Their condition failed, and therefore holds."""
    partitions: tuple[str, ...] = ()
    """A fact that they count by is missing."""


NO_GAPS = Gaps()


class Overridden(NamedTuple):
    """A quota that would apply, and by which it is overridden. Ids."""

    policy_id: str
    by: str


@made_often
@dataclass(frozen=True, slots=True)
class Plan:
    charges: tuple[Charge, ...]
    estimate: Estimate
    digest: str
    """Of the policies it was made from."""
    refused_by: Quota | None = None
    """A quota that refuses what lacks something."""
    lack: Lack = Lack.PARTITION
    """What is lacking, if it is `refused_by`."""
    would_refuse: tuple[Quota, ...] = ()
    """Quotas in shadow mode that would have refused so."""
    gaps: Gaps = NO_GAPS
    overridden: tuple["Overridden", ...] = ()
    standing: Standing = NO_STANDING
    """What behaviour policies hold against the exchange."""

    def reserved(self, unit: Unit) -> int:
        """The most that is reserved of a unit against any limit; for people and traces."""
        return max((c.amount for c in self.charges if c.limit.unit is unit), default=0)


def plan(
    policies: Policies, facts: Facts, estimate: Estimate, standing: Standing = NO_STANDING
) -> Plan:
    """Every quota that applies, each with its partition and what to reserve."""
    charges: list[Charge] = []
    would_refuse: list[Quota] = []
    missing: list[str] = []
    quotas, failed = policies.applying(facts)
    overridden: tuple[Overridden, ...] = ()
    if policies.overriding:
        by = _overridden(policies, {quota.id for quota in quotas} - {*failed}, facts, estimate)
        overridden = tuple([Overridden(q.id, by[q.id]) for q in quotas if q.id in by])
        quotas = [quota for quota in quotas if quota.id not in by]
    for quota in quotas:
        try:
            charges += _charges(quota, policies, facts, estimate, missing, standing)
        except _Lacking as lacking:
            if quota.mode is Mode.ENFORCE:
                gaps = _gaps(failed, missing)
                return Plan(
                    (),
                    estimate,
                    policies.digest,
                    quota,
                    lacking.what,
                    gaps=gaps,
                    overridden=overridden,
                    standing=standing,
                )
            would_refuse.append(quota)
    if standing.fleets:
        charges += _fleet_charges(standing)
    return Plan(
        tuple(charges),
        estimate,
        policies.digest,
        would_refuse=tuple(would_refuse),
        gaps=_gaps(failed, missing),
        overridden=overridden,
        standing=standing,
    )


def _fleet_charges(standing: Standing) -> list[Charge]:
    """One request of the budget of each flagged group whose trait this one shows."""
    limit = fleet_budget(standing)
    if limit is None:
        return []
    return [Charge(limit, Partition((("group", f"{key:016x}"),)), 1) for key in standing.fleets]


def _overridden(
    policies: Policies, applying: set[str], facts: Facts, estimate: Estimate
) -> dict[str, str]:
    """The quotas that are overridden here, and by which.

    `applying` has not those whose condition failed: they hold their callers, and relieve nobody. So
    does a quota that counts nothing of this request: something else has to hold it.
    """
    by: dict[str, str] = {}
    for quota, others in policies.overriding:
        if (
            quota.id in applying
            and quota.id not in by
            and _counts(quota, policies, facts, estimate)
        ):
            by |= dict.fromkeys(others - by.keys(), quota.id)
    return by


def _counts(quota: Quota, policies: Policies, facts: Facts, estimate: Estimate) -> bool:
    try:
        return bool(_charges(quota, policies, facts, estimate, []))
    except _Lacking:
        return False


def _gaps(failed: tuple[str, ...], missing: list[str]) -> Gaps:
    return Gaps(failed, tuple(dict.fromkeys(missing))) if failed or missing else NO_GAPS


class _Lacking(Exception):
    def __init__(self, what: Lack) -> None:
        self.what = what


def _charges(  # noqa: PLR0917  all that a charge depends on
    quota: Quota,
    policies: Policies,
    facts: Facts,
    estimate: Estimate,
    missing: list[str],
    standing: Standing = NO_STANDING,
) -> list[Charge]:
    """Adds to `missing` the id of a quota that cannot be counted by all of its facts."""
    partition = _partition(quota, facts, missing)
    if partition is None:
        return []
    charges = []
    for limit in quota.limits_of(facts.principal.account.plan):
        price = None
        if limit.unit is Unit.MICRO_USD:
            price = _price(quota, policies, facts, estimate)
        amount = _amount(limit, limit.of_tokens if price is None else price, estimate)
        if amount:
            left = scaled(limit, standing)
            bought = None if left is limit else limit
            shadow = quota.mode is Mode.SHADOW
            charges.append(Charge(left, partition, amount, shadow, price, bought))
    return charges


def _partition(quota: Quota, facts: Facts, missing: list[str]) -> Partition | None:
    """None if the quota passes over what it cannot count by."""
    parts: list[tuple[str, str]] = []
    for name in quota.per:
        value = partition_value(name, facts)
        if value is None:
            missing.append(quota.id)
            if quota.missing is Missing.REFUSE:
                raise _Lacking(Lack.PARTITION)
            if quota.missing is Missing.SKIP:
                return None
            name, value = "account.id", facts.principal.account.id  # noqa: PLW2901
        if (name, value) not in parts:
            parts.append((name, value))
    return Partition(tuple(parts))


def _price(quota: Quota, policies: Policies, facts: Facts, estimate: Estimate) -> Weights | None:
    """What the model's tokens cost; None if it is free."""
    price = policies.prices.of(facts.ask.model or "")
    if price is not None or quota.unpriced is Unpriced.FREE:
        return price
    if quota.unpriced is Unpriced.DEAREST:
        return policies.prices.dearest
    if estimate.input_tokens or estimate.output_tokens:
        raise _Lacking(Lack.PRICE)
    return None


def _amount(limit: Limit, weights: Weights | None, estimate: Estimate) -> int:
    """What to reserve: the most that the request can count.

    What nobody declared is cut to what the limit could ever grant (of input: what turns out to be
    cached), an answer without a ceiling to a quarter of that. Otherwise a small limit would refuse
    for ever whoever declares nothing, or let one such request through at a time; a stream that
    needs more extends its reservation.
    """
    if limit.unit in (Unit.REQUESTS, Unit.CONCURRENT):
        return 1
    if weights is None:
        return 0
    if estimate.declared and weights.input == weights.dearest_input:
        return weights.most(estimate.input_tokens, estimate.output_tokens)
    ceiling = estimate.output_tokens if estimate.declared else 0
    declared = weights.declared(estimate.input_tokens, ceiling)
    most = weights.most(estimate.input_tokens, estimate.output_tokens)
    share = limit.ceiling if estimate.declared else limit.ceiling // UNDECLARED_SHARE
    return max(declared, min(most, share))

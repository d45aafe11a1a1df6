"""Policies and facts make a plan: what to charge, to whom, before anything is known of the answer.

The plan is made without asking anybody. It is what the store reserves in one step, all or nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.facts.catalog import Facts, partition_value
from gateway.policy.quota import Limit, Missing, Mode, Policies, Quota, Unit


@dataclass(frozen=True, slots=True)
class Partition:
    """Whose counter: the facts by which a quota is counted, with their values.

    Two partitions are one only if every name and value is the same; `store.keys` hashes them so
    that no value can imitate another's key.
    """

    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """Units against one limit of one partition."""

    limit: Limit
    partition: Partition
    amount: int
    """What is reserved. Never negative; 0 is planned for nothing."""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one exchange is expected to use at most."""

    input_tokens: int
    output_tokens: int
    """Over all choices."""
    declared: bool
    """The caller declared the ceiling; otherwise it was learned."""


@dataclass(frozen=True, slots=True)
class Plan:
    charges: tuple[Charge, ...]
    estimate: Estimate
    digest: str
    """Of the policies it was made from."""
    refused_by: Quota | None = None
    """A quota whose partition fact is missing and that says `missing: refuse`."""

    def reserved(self, unit: Unit) -> int:
        """The most that is reserved of a unit against any limit; for people and traces."""
        return max((c.amount for c in self.charges if c.limit.unit is unit), default=0)


def plan(policies: Policies, facts: Facts, estimate: Estimate) -> Plan:
    """Every quota that matches, each with its partition and what to reserve."""
    charges: list[Charge] = []
    for quota in policies.quotas:
        partition = _partition(quota, facts)
        if partition is None:
            if quota.missing is Missing.REFUSE:
                return Plan((), estimate, policies.digest, refused_by=quota)
            continue
        for limit in quota.limits:
            amount = _amount(limit, estimate)
            if amount:
                charges.append(Charge(limit, partition, amount, quota.mode is Mode.SHADOW))
    return Plan(tuple(charges), estimate, policies.digest)


def _partition(quota: Quota, facts: Facts) -> Partition | None:
    parts: list[tuple[str, str]] = []
    for name in quota.per:
        value = partition_value(name, facts)
        if value is None:
            if quota.missing is not Missing.ACCOUNT:
                return None
            name, value = "account.id", facts.principal.account.id  # noqa: PLW2901
        if (name, value) not in parts:
            parts.append((name, value))
    return Partition(tuple(parts))


def _amount(limit: Limit, estimate: Estimate) -> int:
    """What to reserve. A learned ceiling is cut to what the limit could ever grant.

    Otherwise a small limit would refuse for ever every caller who declares no ceiling.
    """
    amounts: Mapping[Unit, int] = {
        Unit.REQUESTS: 1,
        Unit.CONCURRENT: 1,
        Unit.INPUT_TOKENS: estimate.input_tokens,
        Unit.OUTPUT_TOKENS: estimate.output_tokens,
        Unit.TOKENS: estimate.input_tokens + estimate.output_tokens,
    }
    amount = amounts[limit.unit]
    if estimate.declared or limit.unit in (Unit.REQUESTS, Unit.CONCURRENT, Unit.INPUT_TOKENS):
        return amount
    floor = estimate.input_tokens if limit.unit is Unit.TOKENS else 0
    return max(floor, min(amount, limit.ceiling))

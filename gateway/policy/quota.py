"""What a quota is once it is compiled: numbers and keys, ready for every exchange.

`policy.document` is what an operator writes; these are the values that the rest of the house uses.
Times are whole microseconds, amounts whole units.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import NamedTuple

from gateway.facts.catalog import Facts
from gateway.facts.dialects.declared import DeclaredRoute
from gateway.policy.behaviour import Behaviours
from gateway.policy.conditions import Conditions
from gateway.policy.limit import (
    SECOND_US,
    UNIT_WEIGHTS,
    Limit,
    Missing,
    Mode,
    OnAbort,
    OnStoreFailure,
    Period,
    Unit,
    Unpriced,
    WindowKind,
)
from gateway.policy.predicate import Condition
from gateway.policy.prices import Prices

__all__ = [
    "SECOND_US",
    "UNIT_WEIGHTS",
    "Applying",
    "Limit",
    "Missing",
    "Mode",
    "OnAbort",
    "OnStoreFailure",
    "Overriding",
    "Period",
    "Policies",
    "Quota",
    "Unit",
    "Unpriced",
    "WindowKind",
]


@dataclass(frozen=True, slots=True)
class Quota:
    """One rule of the operator's: its limits apply together, to each partition apart."""

    id: str
    why: str
    limits: tuple[Limit, ...]
    """Of the plans that `by_plan` does not name."""
    per: tuple[str, ...]
    """Names of facts in `facts.catalog`, in the order they were written."""
    missing: Missing = Missing.ACCOUNT
    mode: Mode = Mode.ENFORCE
    where: str = ""
    """`file:line` of the rule, for people."""
    when: Condition | None = None
    """None: always."""
    by_plan: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    """The scaled limits, by account.plan: the same meters with other amounts."""
    warn_at_percent: int | None = None
    """From this share of a limit on, an exchange that is allowed says so in its trace."""
    unpriced: Unpriced = Unpriced.DEAREST
    overrides: tuple[str, ...] = ()
    """Ids of quotas that do not apply where this one does and counts something."""
    always: bool = False
    """Nothing overrides it."""

    def limits_of(self, plan: str | None) -> tuple[Limit, ...]:
        return self.by_plan.get(plan, self.limits) if plan else self.limits


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole policy directory, compiled. A reload makes another one."""

    quotas: tuple[Quota, ...] = ()
    digest: str = "none"
    """12 hexadecimal digits over the text of all files; on every span and decision."""
    prices: Prices = field(default_factory=Prices)
    routes: tuple[DeclaredRoute, ...] = ()
    """What is forwarded beside the routes that gauger knows by itself."""
    behaviours: Behaviours = field(default_factory=Behaviours)
    conditions: Conditions = field(init=False, repr=False, compare=False)
    overriding: tuple["Overriding", ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        conditions = Conditions(quota.when for quota in self.quotas if quota.when)
        object.__setattr__(self, "conditions", conditions)
        object.__setattr__(self, "overriding", tuple(_overriding(self.quotas)))

    @property
    def limits(self) -> Iterable[Limit]:
        return (limit for quota in self.quotas for limit in quota.limits)

    def applying(self, facts: Facts) -> "Applying":
        """The quotas whose condition holds, in the order they were written."""
        if not self.conditions:
            return Applying(self.quotas)
        holding, failed = self.conditions.asked(facts)
        quotas = [one for one in self.quotas if one.when is None or one.when.text in holding]
        if not failed:
            return Applying(quotas)
        return Applying(quotas, tuple([q.id for q in quotas if q.when and q.when.text in failed]))


class Overriding(NamedTuple):
    """A quota that overrides others."""

    quota: Quota
    others: frozenset[str]
    """Their ids. One in shadow mode refuses nothing and so relieves nobody: it overrides only
    others in shadow mode."""


def _overriding(quotas: Iterable[Quota]) -> Iterable[Overriding]:
    """In an order in which nobody is overridden by one that comes later."""
    by_id = {quota.id: quota for quota in quotas}
    before: dict[str, list[str]] = {}
    others: dict[str, frozenset[str]] = {}
    for quota in by_id.values():
        named = [by_id[other] for other in quota.overrides if other in by_id]
        relieved = [
            other.id
            for other in named
            if not other.always and (quota.mode is Mode.ENFORCE or other.mode is Mode.SHADOW)
        ]
        if relieved:
            others[quota.id] = frozenset(relieved)
            for other in relieved:
                before.setdefault(other, []).append(quota.id)
    order = TopologicalSorter(before).static_order()
    return [Overriding(by_id[one], others[one]) for one in order if one in others]


class Applying(NamedTuple):
    quotas: Sequence[Quota]
    failed: tuple[str, ...] = ()
    """Ids of those whose condition failed, and therefore holds."""

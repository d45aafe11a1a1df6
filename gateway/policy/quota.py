"""What a quota is once it is compiled: numbers and keys, ready for every exchange.

`policy.document` is what an operator writes; these are the values that the rest of the house uses.
Times are whole microseconds, amounts whole units.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SECOND_US = 1_000_000


class Unit(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    CONCURRENT = "concurrent"


class WindowKind(StrEnum):
    """How a limit over time is counted."""

    SLIDING = "sliding"
    """At most the limit in any true window; errs only towards refusing, by at most 1/64."""
    BUCKET = "bucket"
    """`burst` at once, refilled evenly; at most burst + limit in some true window."""
    IN_FLIGHT = "in_flight"
    """No window: what has begun and not ended, each under a lease."""


class Mode(StrEnum):
    ENFORCE = "enforce"
    SHADOW = "shadow"


class Missing(StrEnum):
    """What happens to a quota whose partition fact has no value."""

    ACCOUNT = "account"
    """The account stands in, so the limit holds account by account."""
    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `unit` per `window_us`, or at once."""

    quota_id: str
    unit: Unit
    kind: WindowKind
    amount: int
    window_us: int = 0
    """0 for what is in flight."""
    burst: int = 0
    """For buckets: how much at once. `amount` otherwise."""
    lease_us: int = 30 * SECOND_US
    """For what is in flight: a slot whose holder is silent this long is free again."""

    @property
    def meter(self) -> str:
        """The name of the running state in its partition.

        Made of everything that gives the state its meaning and of nothing else: a changed amount
        keeps what was used, a changed window begins anew.
        """
        return f"{self.quota_id}/{self.kind}/{self.unit}/{self.window_us // SECOND_US}"

    @property
    def ceiling(self) -> int:
        """The most that a single exchange can ever be granted."""
        return self.burst if self.kind is WindowKind.BUCKET else self.amount


@dataclass(frozen=True, slots=True)
class Quota:
    """One rule of the operator's: its limits apply together, to each partition apart."""

    id: str
    why: str
    limits: tuple[Limit, ...]
    per: tuple[str, ...]
    """Names of facts in `facts.catalog`, in the order they were written."""
    missing: Missing = Missing.ACCOUNT
    mode: Mode = Mode.ENFORCE
    where: str = ""
    """`file:line` of the rule, for people."""


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole policy directory, compiled. Immutable: a reload makes another one."""

    quotas: tuple[Quota, ...] = ()
    digest: str = "none"
    """12 hexadecimal digits over the text of all files; on every span and decision."""

    @property
    def limits(self) -> Iterable[Limit]:
        return (limit for quota in self.quotas for limit in quota.limits)

"""What a limit is once it is compiled: an amount of a unit, and how it is counted.

Times are whole microseconds, amounts whole units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gateway.policy.weights import ONE, Weights

SECOND_US = 1_000_000


class Unit(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    """Input and output; weighted, if the rule has weights."""
    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    REASONING_TOKENS = "reasoning_tokens"
    CACHED_TOKENS = "cached_tokens"
    MICRO_USD = "micro_usd"
    """Millionths of a dollar. An operator writes USD."""
    CONCURRENT = "concurrent"


UNIT_WEIGHTS: Mapping[Unit, Weights] = MappingProxyType(
    {
        Unit.TOKENS: Weights(ONE, ONE, ONE, ONE, ONE),
        Unit.INPUT_TOKENS: Weights(ONE, ONE, ONE, 0, 0),
        Unit.OUTPUT_TOKENS: Weights(0, 0, 0, ONE, ONE),
        Unit.REASONING_TOKENS: Weights(0, 0, 0, 0, ONE),
        Unit.CACHED_TOKENS: Weights(0, ONE, 0, 0, 0),
    }
)
"""What counts in each unit that is made of tokens alone; for money it depends on the model."""


class WindowKind(StrEnum):
    """How a limit over time is counted."""

    SLIDING = "sliding"
    """At most the limit in any true window; errs only towards refusing, by at most 1/64."""
    BUCKET = "bucket"
    """`burst` at once, refilled evenly; at most burst + limit in some true window."""
    CALENDAR = "calendar"
    """From one boundary of the operator's calendar to the next; at most twice the limit in some
    true window."""
    IN_FLIGHT = "in_flight"
    """No window: what has begun and not ended, each under a lease."""


class Period(StrEnum):
    """What a calendar window begins with. A week begins on Monday."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Mode(StrEnum):
    ENFORCE = "enforce"
    SHADOW = "shadow"


class Missing(StrEnum):
    """What happens to a quota whose partition fact has no value."""

    ACCOUNT = "account"
    """The account stands in, so the limit holds account by account."""
    SKIP = "skip"
    REFUSE = "refuse"


class OnAbort(StrEnum):
    """What an exchange costs that was called off while the model was at work."""

    DELIVERED = "delivered"
    """Its input and what had passed by then."""
    RESERVATION = "reservation"
    """All that was reserved: for a model that goes on thinking after it was called off."""


class OnStoreFailure(StrEnum):
    """What holds for a quota while the store that counts it is away."""

    SHARE = "share"
    """Each replica admits its part of the limit."""
    OPEN = "open"
    """Whatever comes; it is counted afterwards."""
    CLOSED = "closed"
    """Nothing."""


class Unpriced(StrEnum):
    """What happens to a budget in money when the model has no price."""

    DEAREST = "dearest"
    """Of each kind of token it costs the highest price that there is."""
    REFUSE = "refuse"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` of `unit` per `window_us`, or at once."""

    quota_id: str
    unit: Unit
    kind: WindowKind
    amount: int
    window_us: int = 0
    """0 for what is in flight; for a calendar window its usual length."""
    burst: int = 0
    """For buckets: how much at once. `amount` otherwise."""
    lease_us: int = 30 * SECOND_US
    """For what is in flight: a slot whose holder is silent this long is free again."""
    weights: Weights | None = None
    """Of `tokens`, if the operator weighs them."""
    period: Period | None = None
    """Of a calendar window."""
    timezone: str = ""
    """Of a calendar window: whose midnight, by its IANA name."""
    on_abort: OnAbort = OnAbort.DELIVERED
    on_store_failure: OnStoreFailure = OnStoreFailure.SHARE
    meter: str = field(init=False, repr=False, compare=False)
    """The name of the running state in its partition.

    Made of everything that gives the state its meaning and of nothing else: a changed amount keeps
    what was used, a changed window begins anew.
    """
    ceiling: int = field(init=False, repr=False, compare=False)
    """The most that a single exchange can ever be granted."""
    of_tokens: Weights | None = field(init=False, repr=False, compare=False)
    """None for what is not made of tokens, and for money."""

    def __post_init__(self) -> None:
        """Every exchange asks for these, so they are worked out when the policies are loaded."""
        meter = f"{self.quota_id}/{self.kind}/{self.unit}/{self.window_us // SECOND_US}"
        if self.kind is WindowKind.CALENDAR:
            meter = f"{meter}/{self.timezone}"
        ceiling = self.burst if self.kind is WindowKind.BUCKET else self.amount
        object.__setattr__(self, "meter", meter)
        object.__setattr__(self, "ceiling", ceiling)
        object.__setattr__(self, "of_tokens", self.weights or UNIT_WEIGHTS.get(self.unit))

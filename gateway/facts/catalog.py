"""Every fact that a policy may name: its type, its meaning, and where it comes from.

This one table feeds the check of `per:`, the guesses in error messages, the schema and the
documentation. A fact that is not here does not exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.facts.exchange import Ask, Route
from gateway.facts.principal import Principal

FactValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one exchange when it is admitted."""

    principal: Principal
    route: Route
    dialect: str
    ask: Ask
    at_us: int = 0
    """When it came, by the wall clock; for ages, never for counting."""
    user_agent: str | None = None


class FactType(StrEnum):
    STRING = "string"
    INT = "int"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    type: FactType
    meaning: str
    read: Callable[[Facts], FactValue | None]
    """None where this exchange has no such value."""
    slow: bool = False
    """Moves seldom and takes few values, so what depends on it can be remembered."""
    partitions: bool = True
    """May stand in `per:`."""
    short: str | None = None
    """The name that `per:` also understands."""


_FACTS = (
    Fact(
        "account.id",
        FactType.STRING,
        "The account that pays, as the verified credential names it.",
        lambda f: f.principal.account.id,
        short="account",
    ),
    Fact(
        "account.plan",
        FactType.STRING,
        "The account's plan, from the accounts file.",
        lambda f: f.principal.account.plan,
        slow=True,
        short="plan",
    ),
    Fact(
        "account.organization",
        FactType.STRING,
        "The organization that owns the account, from the accounts file.",
        lambda f: f.principal.account.organization,
        slow=True,
        short="organization",
    ),
    Fact(
        "client.address",
        FactType.STRING,
        "The address of the peer that opened the connection.",
        lambda f: f.principal.client_address,
        short="address",
    ),
    Fact(
        "request.route",
        FactType.STRING,
        "Which kind of call this is: chat, messages, count_tokens, models.",
        lambda f: f.route.name.value,
        slow=True,
        short="route",
    ),
    Fact(
        "request.dialect",
        FactType.STRING,
        "The wire format that the caller speaks: openai, anthropic.",
        lambda f: f.dialect,
        slow=True,
        short="dialect",
    ),
    Fact(
        "request.model",
        FactType.STRING,
        "The model that is asked for, as the caller writes it.",
        lambda f: f.ask.model,
        slow=True,
        short="model",
    ),
    Fact(
        "request.stream",
        FactType.BOOL,
        "The answer is asked for as a stream.",
        lambda f: f.ask.stream,
        slow=True,
        partitions=False,
    ),
    Fact(
        "request.max_tokens",
        FactType.INT,
        "The declared ceiling of one answer, in tokens.",
        lambda f: f.ask.max_output_tokens,
        partitions=False,
    ),
    Fact(
        "request.n",
        FactType.INT,
        "How many answers are asked for at once.",
        lambda f: f.ask.choices,
        partitions=False,
    ),
    Fact(
        "request.end_user",
        FactType.STRING,
        "The end user inside the account, as the caller names him: it can partition, not identify.",
        lambda f: f.ask.end_user,
        short="end_user",
    ),
    Fact(
        "request.input_tokens",
        FactType.INT,
        "The tokens of the request, estimated before it is sent on.",
        lambda f: f.ask.input_tokens,
        partitions=False,
    ),
)

CATALOG: Mapping[str, Fact] = {fact.name: fact for fact in _FACTS}

PARTITION_NAMES: Mapping[str, str] = {
    written: fact.name
    for fact in _FACTS
    if fact.partitions
    for written in (fact.short, fact.name)
    if written
}
"""What may be written in `per:`, to the fact that it means."""


def partition_value(name: str, facts: Facts) -> str | None:
    """The value by which to count; an empty one is a missing one."""
    value = CATALOG[name].read(facts)
    return str(value) if value not in (None, "") else None

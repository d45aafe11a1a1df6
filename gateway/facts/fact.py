"""What a fact is, and what all facts are read from.

A fact has a name, a type, a meaning and a way to be read; which there are stands in `facts.catalog`
and `facts.behaviour_facts`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.facts.exchange import Ask, Route
from gateway.facts.history import UNSEEN, History
from gateway.facts.principal import Principal
from gateway.facts.prompt_traits import NO_TRAITS, PromptTraits
from gateway.facts.usage import UNREPORTED, Usage
from gateway.values import made_often

FactValue = str | int | float | bool | list[str] | tuple[str, ...] | dict[str, str]


@made_often
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
    prompt: PromptTraits = NO_TRAITS
    history: History = UNSEEN
    """What behaviour policies know of the account's past."""
    usage: Usage = UNREPORTED
    """Once the answer is known."""
    cost_usd: float | None = None
    """Of the answer, if the policies have a price for its model."""


class FactType(StrEnum):
    """As an operator says it."""

    STRING = "text"
    INT = "whole number"
    DOUBLE = "number"
    BOOL = "true or false"
    STRINGS = "list of texts"
    MAP = "texts by name"


class ToldBy(StrEnum):
    """Who says so."""

    CREDENTIAL = "credential"
    """A verified one, and what the operator knows of its account."""
    CONNECTION = "connection"
    CALLER = "caller"
    """Who may write anything."""
    GATEWAY = "gauger"


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    type: FactType
    told_by: ToldBy
    meaning: str
    read: Callable[[Facts], FactValue | None]
    """None where this exchange has no such value."""
    missing: FactValue | None = None
    """What a condition reads where there is no value; None if there always is one."""
    slow: bool = False
    """Takes few values, and the same ones again and again: what depends on it is remembered."""
    partitions: bool = False
    """May stand in `per:`."""
    short: str | None = None
    """The name that `per:` also understands."""
    endless: bool = False
    """A caller can make up as many values as he likes, so alone it holds nobody to a limit."""
    party: bool = False
    """Somebody real stands behind each value, whatever is written into requests."""

    def value(self, facts: Facts) -> FactValue:
        """What a condition reads."""
        found = self.read(facts)
        if found is None and self.missing is not None:
            return self.missing
        return "" if found is None else found

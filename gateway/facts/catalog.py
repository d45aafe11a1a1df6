"""Every fact that a policy may name: its type, its meaning, and where it comes from.

This one table feeds the check of `per:` and of conditions, the guesses in error messages, the
schema and the documentation (`gateway/docs/facts.md`). A fact that is not here does not exist, but
for those of behaviours (`facts.behaviour_facts`).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from gateway.facts.client_sdk import NONE, SDKS, sdk
from gateway.facts.exchange import RouteName
from gateway.facts.fact import Fact, Facts, FactType, FactValue, ToldBy

__all__ = [
    "CATALOG",
    "PARTITION_NAMES",
    "Fact",
    "FactType",
    "FactValue",
    "Facts",
    "ToldBy",
    "partition_value",
]

_DAY_US = 86_400_000_000
_BUCKET_S = 3 * 3_600
_TAG_SEPARATOR = re.compile(r"[\s,]+")


def _age_days(facts: Facts) -> int | None:
    created_at_s = facts.principal.account.created_at_s
    if created_at_s is None:
        return None
    return max(0, facts.at_us - created_at_s * 1_000_000) // _DAY_US


def _signup_hour(facts: Facts) -> str | None:
    created_at_s = facts.principal.account.created_at_s
    return None if created_at_s is None else _bucket(created_at_s // _BUCKET_S)


@lru_cache(4_096)
def _bucket(number: int) -> str:
    return f"{datetime.fromtimestamp(number * _BUCKET_S, UTC):%Y-%m-%dT%HZ}"


def _attribute(name: str) -> Callable[[Facts], str | None]:
    return lambda facts: facts.principal.account.attributes.get(name)


def _tags(facts: Facts) -> list[str] | None:
    written = facts.principal.account.attributes.get("tags")
    return [tag for tag in _TAG_SEPARATOR.split(written) if tag] if written else None


_FACTS = (
    Fact(
        "account.id",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "The account that pays.",
        lambda f: f.principal.account.id,
        partitions=True,
        short="account",
        party=True,
    ),
    Fact(
        "account.plan",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "The account's plan.",
        lambda f: f.principal.account.plan,
        missing="",
        slow=True,
        partitions=True,
        short="plan",
    ),
    Fact(
        "account.organization",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "The organization that owns the account.",
        lambda f: f.principal.account.organization,
        missing="",
        slow=True,
        partitions=True,
        short="organization",
        party=True,
    ),
    Fact(
        "account.age_days",
        FactType.INT,
        ToldBy.CREDENTIAL,
        "Whole days since the account was opened (`created_at`). An account of unknown age counts "
        "as one of today, so that a limit for young accounts holds it too.",
        _age_days,
        missing=0,
        slow=True,
    ),
    Fact(
        "account.signup_hour",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "The three hours in which the account was opened (`created_at`), in UTC: 2026-06-01T09Z.",
        _signup_hour,
        missing="",
        partitions=True,
        short="signup_hour",
    ),
    Fact(
        "account.payment",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "The payment instrument, by a name of the operator's: the attribute `payment`.",
        _attribute("payment"),
        missing="",
        slow=True,
        partitions=True,
        short="payment",
        party=True,
    ),
    Fact(
        "account.network",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "The network that the account belongs to (AS64500): the attribute `network`.",
        _attribute("network"),
        missing="",
        slow=True,
        partitions=True,
        short="network",
        party=True,
    ),
    Fact(
        "account.origin",
        FactType.STRING,
        ToldBy.CREDENTIAL,
        "How the account came to be (self-service, reseller, sales): the attribute `origin`.",
        _attribute("origin"),
        missing="",
        slow=True,
        partitions=True,
        short="origin",
    ),
    Fact(
        "account.tags",
        FactType.STRINGS,
        ToldBy.CREDENTIAL,
        "The words of the attribute `tags`, which commas or spaces part.",
        _tags,
        missing=[],
    ),
    Fact(
        "account.attributes",
        FactType.MAP,
        ToldBy.CREDENTIAL,
        'Everything else that is known of the account: account.attributes["region"].',
        lambda f: dict(f.principal.account.attributes),
    ),
    Fact(
        "client.address",
        FactType.STRING,
        ToldBy.CONNECTION,
        "The address from which the request comes: the peer's, or what trusted front proxies say. "
        "An IPv6 address counts by its /64, such as 2001:db8:1:2::/64.",
        lambda f: f.principal.client_network,
        missing="",
        partitions=True,
        short="address",
        party=True,
    ),
    Fact(
        "client.user_agent",
        FactType.STRING,
        ToldBy.CALLER,
        "The header `User-Agent`.",
        lambda f: f.user_agent,
        missing="",
    ),
    Fact(
        "client.sdk",
        FactType.STRING,
        ToldBy.CALLER,
        f"The software that the header `User-Agent` tells of: {', '.join(SDKS)}.",
        lambda f: sdk(f.user_agent),
        missing=NONE,
        slow=True,
        partitions=True,
        short="sdk",
    ),
    Fact(
        "request.route",
        FactType.STRING,
        ToldBy.GATEWAY,
        f"Which kind of call this is: {', '.join(RouteName)}, or a route of the operator's own.",
        lambda f: str(f.route.name),
        slow=True,
        partitions=True,
        short="route",
    ),
    Fact(
        "request.dialect",
        FactType.STRING,
        ToldBy.GATEWAY,
        "The wire format that the caller speaks: openai, anthropic, gemini.",
        lambda f: f.dialect,
        slow=True,
        partitions=True,
        short="dialect",
    ),
    Fact(
        "request.model",
        FactType.STRING,
        ToldBy.CALLER,
        "The model that is asked for, as the caller writes it. A list of models names none.",
        lambda f: f.ask.model,
        missing="",
        slow=True,
        partitions=True,
        short="model",
        endless=True,
    ),
    Fact(
        "request.stream",
        FactType.BOOL,
        ToldBy.CALLER,
        "The answer is asked for as a stream.",
        lambda f: f.ask.stream,
        slow=True,
    ),
    Fact(
        "request.max_tokens",
        FactType.INT,
        ToldBy.CALLER,
        "The declared ceiling of one answer, in tokens. 0: none is declared, so any length may "
        "come.",
        lambda f: f.ask.max_output_tokens,
        missing=0,
    ),
    Fact(
        "request.n",
        FactType.INT,
        ToldBy.CALLER,
        "How many answers are asked for at once.",
        lambda f: f.ask.choices,
    ),
    Fact(
        "request.temperature",
        FactType.DOUBLE,
        ToldBy.CALLER,
        "The temperature of sampling. Where none is given, the 1.0 of the model APIs.",
        lambda f: f.ask.temperature,
        missing=1.0,
    ),
    Fact(
        "request.logprobs",
        FactType.BOOL,
        ToldBy.CALLER,
        "Log probabilities of tokens are asked for.",
        lambda f: f.ask.logprobs,
        slow=True,
    ),
    Fact(
        "request.reasoning",
        FactType.BOOL,
        ToldBy.CALLER,
        "Reasoning is asked for, shown or summarised, or an effort of it is set.",
        lambda f: f.ask.reasoning,
        slow=True,
    ),
    Fact(
        "request.tools",
        FactType.INT,
        ToldBy.CALLER,
        "How many tools the model may call.",
        lambda f: f.ask.tools,
    ),
    Fact(
        "request.images",
        FactType.INT,
        ToldBy.CALLER,
        "How many images are sent.",
        lambda f: f.ask.images,
    ),
    Fact(
        "request.turns",
        FactType.INT,
        ToldBy.CALLER,
        "How many messages of the user the conversation has so far.",
        lambda f: f.ask.turns,
    ),
    Fact(
        "request.tool_results",
        FactType.INT,
        ToldBy.CALLER,
        "How many results of tool calls stand among the messages.",
        lambda f: f.ask.tool_results,
    ),
    Fact(
        "request.end_user",
        FactType.STRING,
        ToldBy.CALLER,
        "The end user inside the account, as the caller names him: it can partition, not identify.",
        lambda f: f.ask.end_user,
        missing="",
        partitions=True,
        short="end_user",
        endless=True,
    ),
    Fact(
        "request.session",
        FactType.STRING,
        ToldBy.CALLER,
        "The agent's loop or the conversation that a request belongs to, as the caller names it: "
        "it can partition, not identify.",
        lambda f: f.ask.session,
        missing="",
        partitions=True,
        short="session",
        endless=True,
    ),
    Fact(
        "request.input_tokens",
        FactType.INT,
        ToldBy.GATEWAY,
        "The tokens of the request, estimated before it is sent on.",
        lambda f: f.ask.input_tokens,
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

_READ = {fact.name: fact.read for fact in _FACTS}


def partition_value(name: str, facts: Facts) -> str | None:
    """The value by which to count; an empty one is a missing one."""
    value = _READ[name](facts)
    if isinstance(value, str):
        return value or None
    return None if value is None else str(value)

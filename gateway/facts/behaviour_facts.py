"""Facts that only behaviours may name: what a prompt looks like, the account's past, the answer.

A quota decides before most of it is known. With the catalogue of requests they are all there is.
"""

from collections.abc import Callable, Mapping

from gateway.facts.catalog import (
    CATALOG,
    PARTITION_NAMES,
    Fact,
    Facts,
    FactType,
    FactValue,
    ToldBy,
)
from gateway.facts.history import UNSEEN

PROMPT, HISTORY, USAGE = "prompt", "history", "usage"
"""What the names of these facts begin with."""

ONLY_BEHAVIOURS: Mapping[str, str] = {
    PROMPT: "what a prompt looks like",
    HISTORY: "an account's own past",
    USAGE: "what is known after the answer",
}
"""With what they tell."""


def _fingerprint(name: str, meaning: str) -> Fact:
    return Fact(
        f"{PROMPT}.{name}",
        FactType.STRING,
        ToldBy.CALLER,
        meaning,
        lambda facts: getattr(facts.prompt, name),
        missing="",
    )


def _past(name: str, meaning: str) -> Fact:
    missing: int | bool = getattr(UNSEEN, name)
    return Fact(
        f"{HISTORY}.{name}",
        FactType.BOOL if isinstance(missing, bool) else FactType.INT,
        ToldBy.GATEWAY,
        meaning,
        lambda facts: getattr(facts.history, name),
        missing=missing,
    )


def _tokens(name: str, meaning: str) -> Fact:
    return _known_after(name, FactType.INT, meaning, lambda f: getattr(f.usage, name), 0)


def _known_after(
    name: str,
    of: FactType,
    meaning: str,
    read: Callable[[Facts], FactValue | None],
    missing: FactValue,
) -> Fact:
    return Fact(f"{USAGE}.{name}", of, ToldBy.GATEWAY, meaning, read, missing=missing)


_FACTS = (
    _fingerprint(
        "frame",
        "A keyed fingerprint of the template around the variable part of the prompt.",
    ),
    _fingerprint("system", "A keyed fingerprint of the system prompt."),
    _fingerprint("toolset", "A keyed fingerprint of the tools that the model may call."),
    _fingerprint("text", "A keyed fingerprint of the whole prompt."),
    _fingerprint("beginning", "A keyed fingerprint of its first six words."),
    Fact(
        f"{PROMPT}.system_words",
        FactType.INT,
        ToldBy.CALLER,
        "How many words the system prompt has.",
        lambda facts: facts.prompt.system_words,
        missing=0,
    ),
    Fact(
        f"{PROMPT}.words",
        FactType.INT,
        ToldBy.CALLER,
        "How many words the prompt has; of a long one those of its head and tail.",
        lambda facts: facts.prompt.words,
        missing=0,
    ),
    _past("requests", "How many requests the account sent in the last seven days."),
    _past(
        "age_days",
        "Whole days since the account was opened or, if nobody told when, first seen.",
    ),
    _past("known_days", "Whole days since the account was first seen."),
    _past(
        "fresh",
        "The account was opened less than two weeks ago, or first seen less than three days ago by "
        "a gateway that has watched for five days longer than that.",
    ),
    _past(
        "one_shot",
        "Most of what the account sends are single questions whose beginnings and ends it has not "
        "used before.",
    ),
    _past(
        "novel",
        "The request is a single question of five words or more, without tools, whose beginning "
        "and end are both new to the account.",
    ),
    _tokens("input_tokens", "The tokens that were read, cached or not."),
    _tokens("output_tokens", "The tokens that were written, reasoning included."),
    _tokens("cached_tokens", "Of those that were read, the ones from a cache."),
    _tokens("reasoning_tokens", "Of those that were written, the ones that were thought."),
    _known_after(
        "cost",
        FactType.DOUBLE,
        "What the exchange cost in USD, by `prices`; 0 for a model without a price.",
        lambda facts: facts.cost_usd,
        0.0,
    ),
)

BEHAVIOUR_FACTS: Mapping[str, Fact] = {fact.name: fact for fact in _FACTS}

ALL_FACTS: Mapping[str, Fact] = {**CATALOG, **BEHAVIOUR_FACTS}

MATCHED = Fact(
    f"{PROMPT}.matches",
    FactType.STRINGS,
    ToldBy.CALLER,
    "The ids of the lists of which the prompt contains a phrase. Written as a call: "
    'prompt.matches("list-id").',
    lambda facts: facts.prompt.lists,
    missing=(),
)
"""What `prompt.matches` is asked of. It has no value of its own in CEL."""

SKETCH = f"{PROMPT}.sketch"
"""What measures of likeness are of: a sketch of the prompt's words. No value in CEL."""

GROUP_NAMES: Mapping[str, str] = {
    **PARTITION_NAMES,
    **dict.fromkeys(("user_agent", "client.user_agent"), "client.user_agent"),
    **{
        written: f"{PROMPT}.{name}"
        for name in ("frame", "system", "toolset")
        for written in (name, f"{PROMPT}.{name}")
    },
}
"""What may be written in `group:`, to the fact that it means."""

"""The page of facts, written from the catalogue: `python -m gateway.policy.fact_table`.

It prints `gateway/docs/facts.md`. A test compares the two.
"""

import sys
from collections.abc import Iterator

from gateway.facts.behaviour_facts import ALL_FACTS, PROMPT
from gateway.facts.catalog import Fact

_HEAD = """\
# Facts

What a policy can name. This page is made from the catalogue in the code,
`gateway/facts/catalog.py`, by `python -m gateway.policy.fact_table`.

*Told by*: a credential is verified, and its account known to the operator; a caller may write
anything. *Where missing* is what a condition reads where a request has no such value. In `per:` a
missing value is nobody's: there the quota's `missing:` decides. *Remembered*: a condition that
names only such facts is evaluated once for each combination of their values.

`group:` of a [behaviour](behaviours.md) takes what `per:` takes, and `frame`, `system` and
`toolset` of the prompt.
"""

_PROMPT = """\
Of a prompt nothing else is kept than these keyed fingerprints. In conditions of behaviours there is
`prompt.matches("list-id")`, too: the prompt contains a phrase of that list. And
`prompt.sketch` may stand in the functions that compare prompts; it has no value of its own.
"""

_GROUPS = {
    "account": "Who pays, as the verified credential tells",
    "client": "Where a request comes from",
    "request": "What is asked for",
    "prompt": "What a prompt looks like (for behaviours alone)",
    "history": "An account's own past (for behaviours alone)",
    "usage": "What is known after the answer (for behaviours alone)",
}


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for group, title in _GROUPS.items():
        yield f"## `{group}.`: {title}\n"
        yield "| fact | type | meaning | told by | where missing | in `per:` | remembered |"
        yield "|---|---|---|---|---|---|---|"
        for fact in ALL_FACTS.values():
            if fact.name.startswith(group + "."):
                yield _row(fact)
        yield ""
        if group == PROMPT:
            yield _PROMPT


def _row(fact: Fact) -> str:
    missing = "never" if fact.missing is None else f"`{_literal(fact.missing)}`"
    cells = [
        f"`{fact.name}`",
        fact.type.value,
        fact.meaning,
        fact.told_by.value,
        missing,
        f"`{fact.short or fact.name}`" if fact.partitions else "",
        "yes" if fact.slow else "",
    ]
    return f"| {' | '.join(cells)} |"


def _literal(value: object) -> str:
    """As it is written in a condition."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    sys.stdout.write(page())

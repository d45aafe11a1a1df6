"""The page of facts, written from the catalogue: `python -m gateway.policy.fact_table`.

It prints `gateway/docs/facts.md`. A test compares the two.
"""

import sys
from collections.abc import Iterator

from gateway.facts.catalog import CATALOG, LATER_FACTS, Fact

_HEAD = """\
# Facts

What a policy can name. This page is made from the catalogue in the code,
`gateway/facts/catalog.py`, by `python -m gateway.policy.fact_table`.

*Told by*: a credential is verified, and its account known to the operator; a caller may write
anything. *Where missing* is what a condition reads where a request has no such value. In `per:` a
missing value is nobody's: there the quota's `missing:` decides. *Remembered*: a condition that
names only such facts is evaluated once for each combination of their values.
"""

_GROUPS = {
    "account": "Who pays, as the verified credential tells",
    "client": "Where a request comes from",
    "request": "What is asked for",
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
        for fact in CATALOG.values():
            if fact.name.startswith(group + "."):
                yield _row(fact)
        yield ""
    later = " and ".join(f"`{group}.` ({what})" for group, what in LATER_FACTS.items())
    yield f"The groups {later} belong to a later version; here their names are errors.\n"


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
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    sys.stdout.write(page())

"""What has to be kept for the rules in force: worked out once, when policies are loaded.

Rules about the same group that record the same exchanges (`among`) share one state, a `Kind`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from gateway.facts.catalog import FactValue
from gateway.facts.history import History
from gateway.policy.behaviour import (
    DAY_US,
    Behaviour,
    Behaviours,
    Function,
    Measure,
    Over,
    WindowUnit,
)

ACCOUNT_GROUP = ("account.id",)

Holds = Callable[[Mapping[str, float]], bool]
"""Whether a rule holds, by the names of its measures."""

Evaluate = Callable[[Sequence[FactValue | None], History], Sequence[FactValue | None]]
"""The values of `Layout.expressions`, in their order, of one exchange. None: it failed."""

SUMMED = frozenset({Function.COUNT, Function.SUM, Function.MEAN, Function.SHARE, Function.SURGE})
FLAGGED = frozenset({Function.ACCOUNTS, Function.SHARE_OF_ACCOUNTS, Function.ZSCORE})
COMPARED = frozenset({Function.INDEPENDENT_ACCOUNTS, Function.TOP_SHARE})
POOLING = frozenset(
    {Function.EXCHANGEABILITY, Function.COHESION, Function.POOLED, Function.KINSHIP}
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of group, and what is kept of each group of that kind."""

    group: tuple[str, ...]
    among: int | None
    """Index of the expression; None: every exchange is recorded."""
    salt: int
    """Tells the states of this kind from those of others about the same group."""
    rules: tuple[Behaviour, ...]
    flags: tuple[int, ...]
    """Expressions that are asked of members, a bit for each."""
    columns: tuple[int, ...]
    """Expressions by which members are compared."""
    sums: tuple[tuple[str, int | None, Over], ...]
    """Signature, expression, window."""
    sums_after: tuple[tuple[str, int | None, Over], ...]
    """Those that can be told only when the answer is known."""
    distinct: tuple[tuple[str, int, int], ...]
    """Text and index of an expression, and the longest window in which its values are counted, in
    microseconds."""
    pooling: bool
    kin: bool
    """Novel questions are compared with those of contained fleets."""
    gaps: bool
    window_us: int
    """The longest in which members are counted."""

    @property
    def judges_accounts(self) -> bool:
        return self.group == ACCOUNT_GROUP


@dataclass(frozen=True, slots=True)
class Layout:
    expressions: tuple[str, ...]
    kinds: tuple[Kind, ...]
    account_kinds: tuple[Kind, ...]
    groups: tuple[tuple[str, ...], ...]
    """Of `kinds`, each once: their keys are in a sighting."""
    kinds_of: tuple[tuple[int, ...], ...]
    """For each of `groups`, which `kinds` it has."""
    population: tuple[tuple[str, int], ...]
    """Text and index of expressions whose share among all accounts is needed."""
    after_answer: bool = False
    """Something has to be recorded when an answer is known."""
    places: Mapping[str, int] = field(default_factory=dict)
    """Index of each expression by its text."""


def layout(behaviours: Behaviours) -> Layout:
    texts: dict[str, int] = {}
    by_kind: dict[tuple[tuple[str, ...], str | None], list[Behaviour]] = {}
    for rule in behaviours.rules:
        by_kind.setdefault((rule.group, rule.among), []).append(rule)
        for text in _named(rule):
            texts.setdefault(text, len(texts))
    made = [_kind(rules, texts) for rules in by_kind.values()]
    kinds = tuple(kind for kind in made if not kind.judges_accounts)
    groups = tuple(dict.fromkeys(kind.group for kind in kinds))
    return Layout(
        expressions=tuple(texts),
        kinds=kinds,
        account_kinds=tuple(kind for kind in made if kind.judges_accounts),
        groups=groups,
        kinds_of=tuple(
            tuple(at for at, kind in enumerate(kinds) if kind.group == group) for group in groups
        ),
        population=tuple(
            sorted(
                {
                    (measure.expression, texts[measure.expression])
                    for rule in behaviours.rules
                    for measure in rule.measures
                    if measure.function is Function.ZSCORE and measure.expression is not None
                }
            )
        ),
        after_answer=any(kind.sums_after for kind in made),
        places=texts,
    )


def _named(rule: Behaviour) -> Iterable[str]:
    if rule.among is not None:
        yield rule.among
    for measure in rule.measures:
        if _has_expression(measure):
            yield str(measure.expression)


def _has_expression(measure: Measure) -> bool:
    """Pools and loads are kept without one: their argument is always the same."""
    fixed = measure.function in POOLING or measure.function is Function.EVENNESS
    accounts = measure.function is Function.DISTINCT and measure.expression == "account.id"
    return measure.expression is not None and not fixed and not accounts


def _kind(rules: list[Behaviour], texts: Mapping[str, int]) -> Kind:
    first = rules[0]
    measures = [measure for rule in rules for measure in rule.measures]
    flags: dict[int, None] = {}
    columns: dict[int, None] = {}
    sums: dict[str, tuple[str, int | None, Over]] = {}
    after: dict[str, tuple[str, int | None, Over]] = {}
    distinct: dict[str, int] = {}
    window_us = 0
    for measure in measures:
        at = texts[str(measure.expression)] if _has_expression(measure) else None
        if measure.over.unit is WindowUnit.TIME:
            window_us = max(window_us, measure.over.amount)
        if measure.function in SUMMED:
            signature = sum_signature(measure)
            (after if measure.after_answer else sums)[signature] = (signature, at, measure.over)
        elif at is not None and measure.function in FLAGGED:
            flags[at] = None
        elif at is not None and measure.function in COMPARED:
            columns[at] = None
        elif at is not None and measure.function is Function.DISTINCT:
            amount = measure.over.amount if measure.over.unit is WindowUnit.TIME else 7 * DAY_US
            text = str(measure.expression)
            distinct[text] = max(distinct.get(text, 0), amount)
    return Kind(
        group=first.group,
        among=None if first.among is None else texts[first.among],
        salt=_salt(first, texts, flags, columns),
        rules=tuple(rules),
        flags=tuple(flags),
        columns=tuple(columns),
        sums=tuple(sums.values()),
        sums_after=tuple(after.values()),
        distinct=tuple((text, texts[text], window) for text, window in distinct.items()),
        pooling=any(measure.function in POOLING for measure in measures)
        and not any(name.startswith("prompt.") for name in first.group),
        kin=any(measure.function is Function.KINSHIP for measure in measures),
        gaps=any(measure.function is Function.REGULARITY for measure in measures),
        window_us=window_us or 7 * DAY_US,
    )


def sum_signature(measure: Measure) -> str:
    """A share, a mean and a sum of one expression over one window are one state."""
    return f"{measure.expression or ''} over {measure.over.amount} {measure.over.unit}"


def _salt(
    first: Behaviour, texts: Mapping[str, int], flags: Iterable[int], columns: Iterable[int]
) -> int:
    """Of all that gives the members' flags and columns their meaning.

    What else changes in a policy keeps the states; those of a kind that changed so begin anew.
    """
    named = list(texts)
    parts = [
        first.among or "",
        "flags",
        *(named[at] for at in flags),
        "columns",
        *(named[at] for at in columns),
    ]
    text = "".join(f"{len(part)}:{part};" for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())

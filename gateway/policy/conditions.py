"""All conditions of a policy directory, asked together for one request.

Those that name only slow facts (model, plan, route, ...) are remembered for each combination of
exactly these facts. The others are one CEL list, since one evaluation of sixteen conditions costs a
fraction of sixteen evaluations.

A condition that fails holds: a quota that cannot tell whether it applies, applies. So a caller does
not escape a limit by a request that breaks its condition.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from cel_expr_python import cel

from gateway.facts.catalog import Fact, Facts, FactValue
from gateway.policy.predicate import Condition, alone, together
from gateway.policy.remembered import Remembered

LISTED = 32
"""As many make one list: CEL reads no text of more than 100,000 characters."""

_FAILURES = (RuntimeError, TypeError, ValueError, OverflowError)
"""What CEL's binding raises for a value that it cannot take over, such as half a character."""


class Conditions:
    """Immutable but for what it remembers."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        by_facts: dict[tuple[Fact, ...], dict[str, Condition]] = {}
        each_time: dict[str, Condition] = {}
        for one in conditions:
            if one.slow:
                named = tuple(sorted(one.facts, key=lambda fact: fact.name))
                by_facts.setdefault(named, {})[one.text] = one
            else:
                each_time[one.text] = one
        self._slow_facts = _named(one for group in by_facts.values() for one in group.values())
        self._remembered = [
            _remembered(group.values(), self._slow_facts) for group in by_facts.values()
        ]
        listed = list(each_time.values())
        self._each_time = [_Asked(listed[at : at + LISTED]) for at in range(0, len(listed), LISTED)]

    def __bool__(self) -> bool:
        """There is anything to ask."""
        return bool(self._remembered or self._each_time)

    def asked(self, facts: Facts) -> "Answers":
        """Which hold, and which of these because they failed."""
        holding: frozenset[str] = frozenset()
        failed: tuple[str, ...] = ()
        values = _values(self._slow_facts, facts)
        for key_of, answers_for in self._remembered:
            told = answers_for(key_of(values))
            if told.holding:
                holding |= told.holding
            if told.failed:
                failed += told.failed
        for asked in self._each_time:
            told = asked.answers(_values(asked.facts, facts))
            if told.holding:
                holding |= told.holding
            if told.failed:
                failed += told.failed
        return Answers(holding, failed)


def _remembered(conditions: Iterable[Condition], slow: Sequence[Fact]) -> "_Remembered":
    """How to take the values of its facts out of those of all slow facts, and the memory."""
    asked = _Asked(list(conditions))
    key_of: Callable[[Sequence[FactValue]], Any] = itemgetter(*map(slow.index, asked.facts))
    if len(asked.facts) == 1:
        return key_of, Remembered(lambda value: asked.answers((value,)))
    return key_of, Remembered(asked.answers)


_Remembered = tuple[Callable[[Sequence[FactValue]], Any], Remembered[Any, "Answers"]]


def _values(named: Iterable[Fact], facts: Facts) -> list[FactValue]:
    return [fact.value(facts) for fact in named]


class Answers(NamedTuple):
    """Conditions by their texts."""

    holding: frozenset[str]
    failed: tuple[str, ...]
    """They are among `holding`."""


class _Asked:
    """Conditions that are asked together, with the same values."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.facts = _named(conditions)
        self._names = [fact.name for fact in self.facts]
        self._texts = [condition.text for condition in conditions]
        self._each = [alone(condition) for condition in conditions]
        self._together = together(conditions)

    def answers(self, values: Sequence[FactValue]) -> Answers:
        data = dict(zip(self._names, values, strict=True))
        found = self._ask_together(data)
        if found is None:  # one of them fails, and CEL does not say which
            found = [_evaluate(expression, data) for expression in self._each]
        pairs = list(zip(self._texts, found, strict=True))
        return Answers(
            frozenset([text for text, value in pairs if value is not False]),
            tuple([text for text, value in pairs if not isinstance(value, bool)]),
        )

    def _ask_together(self, data: Mapping[str, FactValue]) -> list[object] | None:
        found = _evaluate(self._together, data) if self._together else None
        return found if isinstance(found, list) else None


def _evaluate(expression: cel.Expression, data: Mapping[str, FactValue]) -> object:
    """A truth value, a list of them, or something else that tells of a failure."""
    try:
        return expression.eval(data=data).plain_value()
    except _FAILURES as failure:
        return failure


def _named(conditions: Iterable[Condition]) -> tuple[Fact, ...]:
    return tuple({fact.name: fact for one in conditions for fact in one.facts}.values())

"""All expressions of the behaviours in force, worked out together for each exchange.

They are one Python function (`policy.cel_python`), in which CEL is asked only for what is beyond
that, and again for an expression that failed. What fails in CEL has no value: None.

Not for two threads: what a prompt contains is told to CEL on the side.
"""

import ast
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cel_expr_python import cel

from gateway.facts.behaviour_facts import HISTORY, MATCHED
from gateway.facts.catalog import Fact, Facts, FactValue
from gateway.facts.history import History
from gateway.policy.behaviour_expression import (
    VARIABLES,
    Expression,
    expression,
    measure_condition,
    measures_environment,
)
from gateway.policy.cel_python import Translation, function
from gateway.policy.cel_tree import Node, NodeKind
from gateway.policy.cel_wording import MATCHES

Value = FactValue | None

_FAILURES = (RuntimeError, TypeError, ValueError, OverflowError)
"""What CEL's binding raises for a value that it cannot take over, such as half a character."""

_PASSED_OVER = (ArithmeticError, LookupError, TypeError, ValueError)
"""What a translated expression raises where CEL may, or may not, fail."""

_FAILING = ("index_map", "divide_int64", "divide_double", "modulo_int64")

_NAMED, _PAST, _MEASURED = "named", "past", "measured"


class Expressions:
    """Sound texts (`behaviour_expression`), in their order."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        found = [expression(text) for text in self.texts]
        named = {fact.name: fact for one in found for fact in one.facts if not _is_past(fact.name)}
        if any(one.lists for one in found):
            named[MATCHES] = MATCHED
        self.facts: tuple[Fact, ...] = tuple(named.values())
        """Those that they name, but for `history.*`: what `evaluate` wants the values of."""
        self._places = {name: at for at, name in enumerate(named)}
        self._cel = _Cel(self._places)
        translation = Translation(self._read)
        made = [translation.of(one.root) or _asked(f"cel{at}") for at, one in enumerate(found)]
        self._asks = [self._cel.of(one) for one in found]
        provided = {
            **translation.patterns,
            **{f"cel{at}": asks for at, asks in enumerate(self._asks)},
        }
        self._each = [self._function(one, provided) for one in made]
        alone = {f"one{at}": partial(self._one, at) for at in range(len(found))}
        together = [
            _asked(f"one{at}") if _often_fails(found[at].root) else one
            for at, one in enumerate(made)
        ]
        self._all = self._function(ast.List(together, ast.Load()), {**provided, **alone})

    def read(self, facts: Facts) -> list[FactValue]:
        """The values of `facts`: all that is needed of an exchange, but for the account's past."""
        return [fact.value(facts) for fact in self.facts]

    def values(self, facts: Facts) -> list[Value]:
        """Of one exchange, by its facts."""
        return self.evaluate(self.read(facts), facts.history)

    def evaluate(self, named: Sequence[Value], past: History) -> list[Value]:
        """`named` as `read` gives it."""
        try:
            found: list[Value] = self._all(named, past)
        except _PASSED_OVER:
            found = [self._one(at, named, past) for at in range(len(self.texts))]
        return found

    def _one(self, at: int, named: Sequence[Value], past: History) -> Value:
        try:
            found: Value = self._each[at](named, past)
        except _PASSED_OVER:
            found = self._asks[at](named, past)
        return found

    def _read(self, name: str) -> ast.expr | None:
        if _is_past(name):
            return ast.Attribute(_name(_PAST), name.removeprefix(f"{HISTORY}."), ast.Load())
        return _name(f"fact{self._places[name]}") if name in self._places else None

    def _function(self, gives: ast.expr, provided: Mapping[str, Any]) -> Callable[..., Any]:
        used = {node.id for node in ast.walk(gives) if isinstance(node, ast.Name)}
        bound: list[ast.stmt] = [
            ast.Assign(
                [ast.Name(f"fact{at}", ast.Store())],
                ast.Subscript(_name(_NAMED), ast.Constant(at), ast.Load()),
            )
            for at in self._places.values()
            if f"fact{at}" in used
        ]
        return function("evaluate", [_NAMED, _PAST], [*bound, ast.Return(gives)], provided)


class MeasureCondition:
    """`when` of a behaviour."""

    def __init__(self, text: str, names: Iterable[str]) -> None:
        """`names` are those of the rule's measures. Raises `ConditionFaults`."""
        names = tuple(names)
        sound = measure_condition(text, names)
        self.text = text
        self._named = sound.named
        self._cel = measures_environment(names).compile(sound.decimal)
        translation = Translation(self._read)
        made = translation.of(sound.root)
        body: list[ast.stmt] = [ast.Return(made or ast.Constant(None))]
        self._holds = (
            None if made is None else function("holds", [_MEASURED], body, translation.patterns)
        )

    def holds(self, measured: Mapping[str, float]) -> bool:
        """By the names of the measures. One that fails does not hold."""
        if self._holds is not None:
            try:
                return self._holds(measured) is True
            except (ArithmeticError, TypeError, ValueError):
                pass
        data = {name: float(measured[name]) for name in self._named}
        return _evaluated(self._cel, data) is True

    def _read(self, name: str) -> ast.expr | None:
        if name not in self._named:
            return None
        return ast.Subscript(_name(_MEASURED), ast.Constant(name), ast.Load())


class _Cel:
    """CEL itself, with the lists that the prompt of the exchange matches."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._places = places
        self._matched: Collection[object] = ()
        matches = cel.Overload(
            "prompt_matches",
            cel.Type.BOOL,
            [cel.Type.STRING],
            is_member=False,
            impl=lambda named: named in self._matched,
        )
        self._env = cel.NewEnv(
            variables=VARIABLES, functions=[cel.FunctionDecl(MATCHES, [matches])]
        )

    def of(self, one: Expression) -> Callable[[Sequence[Value], History], Value]:
        """Never raises."""
        compiled = self._env.compile(one.text)
        names = [fact.name for fact in one.facts]

        def asked(named: Sequence[Value], past: History) -> Value:
            if one.lists:
                told = named[self._places[MATCHES]]
                self._matched = told if isinstance(told, Collection) else ()
            data = {name: self._value(name, named, past) for name in names}
            return _evaluated(compiled, data)

        return asked

    def _value(self, name: str, named: Sequence[Value], past: History) -> Value:
        if _is_past(name):
            value: Value = getattr(past, name.removeprefix(f"{HISTORY}."))
            return value
        return named[self._places[name]]


def _evaluated(compiled: cel.Expression, data: Mapping[str, Value]) -> Value:
    try:
        found = compiled.eval(data=data)
        if found.type() == cel.Type.ERROR:
            return None
        value: Value = found.plain_value()
    except _FAILURES:
        return None
    return value


def _often_fails(root: Node) -> bool:
    """So it is asked by itself, and the others together all the same."""
    return any(
        (node.kind is NodeKind.FIELD and not node.asked) or node.overload in _FAILING
        for node in root.walk()
    )


def _asked(name: str) -> ast.expr:
    return ast.Call(_name(name), [_name(_NAMED), _name(_PAST)], [])


def _is_past(name: str) -> bool:
    return name.startswith(f"{HISTORY}.")


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())

"""Whether a condition can hold at all, and whether it can fail to: the simple cases, statically.

A condition is taken apart into ways in which it holds, each a set of comparisons that must all be
true together. What is no comparison of a fact with a constant may be anything. So a condition that
is called impossible is impossible; one that is not may still be.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from gateway.facts.catalog import CATALOG, FactType
from gateway.policy.cel_tree import Node, NodeKind

MAX_WAYS = 256
"""A condition with more is not judged."""

_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_CONTRARY = {
    "_==_": "_!=_",
    "_!=_": "_==_",
    "_<_": "_>=_",
    "_<=_": "_>_",
    "_>_": "_<=_",
    "_>=_": "_<_",
    "@in": "not in",
    "startsWith": "not startsWith",
    "endsWith": "not endsWith",
    "contains": "not contains",
    "is": "is not",
    "is not": "is",
}
_TEXT_TESTS = ("startsWith", "endsWith", "contains")

Constant = str | int


@dataclass(frozen=True, slots=True)
class _Comparison:
    """`fact operator constants`; `is` for a truth value by itself."""

    fact: str
    operator: str
    constants: tuple[Constant, ...] = ()

    @property
    def contrary(self) -> "_Comparison":
        operator = _CONTRARY.get(self.operator, self.operator.removeprefix("not "))
        operator = "@in" if operator == "in" else operator
        return _Comparison(self.fact, operator, self.constants)


Way = frozenset[_Comparison]
"""Comparisons that hold together; empty if anything may be."""


class _TooMany(Exception):
    pass


def impossible(root: Node, values: Mapping[str, Collection[str]]) -> str | None:
    """The fact because of which a condition never holds, or None.

    `values` are all that a fact can have, for those of which that is known.
    """
    return _conflict_in_all(root, values, holds=True)


def certain(root: Node, values: Mapping[str, Collection[str]]) -> str | None:
    """The fact because of which it always holds, or None."""
    return _conflict_in_all(root, values, holds=False)


def _conflict_in_all(
    root: Node, values: Mapping[str, Collection[str]], *, holds: bool
) -> str | None:
    try:
        ways = _ways(root, holds=holds)
    except _TooMany:
        return None
    conflicts = [_conflict(way, values) for way in ways]
    return conflicts[0] if conflicts and all(conflicts) else None


def _ways(node: Node, *, holds: bool) -> list[Way]:
    """In which the node is true; with `holds` False, in which it is not."""
    if node.kind is NodeKind.CALL:
        if node.name == "!_":
            return _ways(node.children[0], holds=not holds)
        if node.name in ("_&&_", "_||_"):
            sides = [_ways(child, holds=holds) for child in node.children]
            if (node.name == "_||_") is holds:
                return _bounded(way for side in sides for way in side)
            return _bounded(frozenset().union(*together) for together in product(*sides))
    compared = _comparison(node)
    if compared is None:
        return [frozenset()]
    return [frozenset([compared if holds else compared.contrary])]


def _bounded(ways: Iterable[Way]) -> list[Way]:
    found: list[Way] = []
    for way in ways:
        found.append(way)
        if len(found) > MAX_WAYS:
            raise _TooMany
    return found


def _comparison(node: Node) -> _Comparison | None:
    """None for what is not understood."""
    if _is_fact(node) and CATALOG[node.name].type is FactType.BOOL:
        return _Comparison(node.name, "is")
    if node.kind is not NodeKind.CALL or len(node.children) != 2:  # noqa: PLR2004  two sides
        return None
    left, right = node.children
    name = node.name
    if _is_fact(right) and left.constant is not None and name != "@in":
        left, right, name = right, left, _MIRRORED.get(name, name)
    if not _is_fact(left) or name not in _CONTRARY:
        return None
    listed = right.kind is NodeKind.LIST
    if listed is not (name == "@in"):
        return None
    found = [child.constant for child in right.children] if listed else [right.constant]
    constants = tuple(
        constant
        for constant in found
        if isinstance(constant, str | int) and not isinstance(constant, bool)
    )
    return _Comparison(left.name, name, constants) if len(constants) == len(found) else None


def _is_fact(node: Node) -> bool:
    return node.kind is NodeKind.NAME and node.name in CATALOG


def _conflict(way: Way, values: Mapping[str, Collection[str]]) -> str | None:
    """A fact of which no value makes all its comparisons true."""
    by_fact: dict[str, list[_Comparison]] = {}
    for one in way:
        by_fact.setdefault(one.fact, []).append(one)
    for fact in sorted(by_fact):
        whole_number = CATALOG[fact].type is FactType.INT
        allowed = _Allowed(
            only=None if fact not in values else set(values[fact]),
            least=0 if whole_number else None,  # every count and every age
        )
        for one in by_fact[fact]:
            allowed.restrict(one)
        if allowed.nothing:
            return fact
    return None


@dataclass(slots=True)
class _Allowed:
    """What one fact may still be."""

    only: set[Constant] | set[str] | None
    least: int | None
    most: int | None = None
    never: set[Constant] = field(default_factory=set)
    tests: list[_Comparison] = field(default_factory=list)
    truths: set[str] = field(default_factory=set)

    def restrict(self, by: _Comparison) -> None:
        match by.operator:
            case "is" | "is not":
                self.truths.add(by.operator)
            case "_==_" | "@in":
                known = set(by.constants)
                self.only = known if self.only is None else {c for c in self.only if c in known}
            case "_!=_" | "not in":
                self.never |= set(by.constants)
            case operator if operator.removeprefix("not ") in _TEXT_TESTS:
                self.tests.append(by)
            case operator:
                self._bound(operator, by.constants[0])

    def _bound(self, operator: str, constant: Constant) -> None:
        if not isinstance(constant, int):
            return  # texts in the order of the alphabet: nobody writes that
        if operator in ("_>_", "_>=_"):
            least = constant + (operator == "_>_")
            self.least = least if self.least is None else max(self.least, least)
        else:
            most = constant - (operator == "_<_")
            self.most = most if self.most is None else min(self.most, most)

    @property
    def nothing(self) -> bool:
        if len(self.truths) > 1:
            return True
        if self.only is not None:
            return not any(self._admits(value) for value in self.only)
        if self.least is not None and self.most is not None:
            if self.least > self.most:
                return True
            return self.least == self.most and self.least in self.never
        return False

    def _admits(self, value: Constant) -> bool:
        if value in self.never:
            return False
        if isinstance(value, str):
            return all(_passes(value, test) for test in self.tests)
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


def _passes(value: str, test: _Comparison) -> bool:
    part = str(test.constants[0])
    name = test.operator.removeprefix("not ")
    found = {
        "startsWith": value.startswith,
        "endsWith": value.endswith,
        "contains": value.__contains__,
    }[name](part)
    return found is (name == test.operator)

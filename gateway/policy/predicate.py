"""`when:`: a condition in CEL over the facts of one request, type-checked when it is read.

CEL (cel.dev) cannot loop for ever, has no side effects, and knows the type of every fact.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from math import prod

from cel_expr_python import cel

from gateway.facts.catalog import CATALOG, Fact, FactType
from gateway.policy.cel_tree import Node, NodeKind, tree
from gateway.policy.cel_wording import Fault, compile_faults, unhelpful_result
from gateway.source.wording import shown

CHARACTERS = 2_000
"""Nobody reads a longer one at night."""

REMEMBERED = 2_048
"""Conditions. Faults, doubts and compilation each ask for the same one."""

_TYPES = {
    FactType.STRING: cel.Type.STRING,
    FactType.INT: cel.Type.INT,
    FactType.DOUBLE: cel.Type.DOUBLE,
    FactType.BOOL: cel.Type.BOOL,
    FactType.STRINGS: cel.Type.List(cel.Type.STRING),
    FactType.MAP: cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}


def cel_type(of: FactType) -> cel.Type:
    return _TYPES[of]


_ENVIRONMENT = cel.NewEnv(variables={fact.name: cel_type(fact.type) for fact in CATALOG.values()})
_PATTERN = cel.NewEnv(variables={"pattern": cel.Type.STRING}).compile('"".matches(pattern)')

_DIVISIONS = ("_/_", "_%_")
_SUMS = ("_+_", "_-_")
_PRODUCT = "_*_"
_CONVERSIONS = ("int", "uint", "double", "bool", "timestamp", "duration")
_LARGEST = 2**63 - 1
"""Of CEL's whole numbers."""
_LARGEST_FACT = 2**31 - 1
_ATTRIBUTES = "account.attributes"
_HOLDS = "and a condition that fails holds"


class ConditionFaults(ValueError):
    """All that is wrong with a condition."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(message for _, message in self.faults))


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that is sound, and what it needs to be asked."""

    text: str
    facts: tuple[Fact, ...] = field(compare=False, repr=False)
    """Those that it names, each once."""
    doubts: tuple[Fault, ...] = field(compare=False, repr=False)
    """Where it can fail while traffic flows."""
    root: Node = field(compare=False, repr=False)
    """What it is made of."""

    @property
    def slow(self) -> bool:
        return all(fact.slow for fact in self.facts)


@lru_cache(REMEMBERED)
def condition(text: str) -> Condition:
    """Raises `ConditionFaults`."""
    if len(text) > CHARACTERS:
        raise ConditionFaults(
            [(0, f'"when" has {len(text):,} characters. Write at most {CHARACTERS:,}.')]
        )
    try:
        compiled = _ENVIRONMENT.compile(text)
    except (RuntimeError, TypeError) as error:  # TypeError: half a character
        raise ConditionFaults(compile_faults(text, str(error))) from None
    if compiled.return_type() != cel.Type.BOOL:
        raise ConditionFaults([(0, unhelpful_result(compiled.return_type().name()))])
    root = tree(compiled.serialize())
    faults = list(pattern_faults(root))
    facts = {node.name: CATALOG[node.name] for node in root.walk() if _is_fact(node)}
    if not facts:
        message = (
            "This condition names no fact, so it always or never holds. Delete it, or the rule."
        )
        faults.append((0, message))
    if faults:
        raise ConditionFaults(faults)
    return Condition(text, tuple(facts.values()), tuple(_doubts(root)), root)


def together(conditions: Iterable[Condition]) -> "cel.Expression | None":
    """All as one list, which costs a fraction of asking each; None if CEL finds that too deep."""
    listed = ", ".join(f"({condition.text}\n)" for condition in conditions)
    try:
        return _ENVIRONMENT.compile(f"[{listed}]")
    except RuntimeError:
        return None


def alone(condition: Condition) -> cel.Expression:
    return _ENVIRONMENT.compile(condition.text)


def _is_fact(node: Node) -> bool:
    return node.kind is NodeKind.NAME and node.name in CATALOG


def _calls(root: Node, *names: str) -> Iterator[Node]:
    return (node for node in root.walk() if node.kind is NodeKind.CALL and node.name in names)


def pattern_faults(root: Node) -> Iterator[Fault]:
    for call in _calls(root, "matches"):
        pattern = call.children[-1]
        if not isinstance(pattern.constant, str):
            yield (
                pattern.offset,
                "matches() takes a pattern in quotes: what stands in a request may not be one.",
            )
            continue
        found = _PATTERN.eval(data={"pattern": pattern.constant})
        if found.type() == cel.Type.ERROR:
            why = str(found.plain_value()).rpartition("invalid regular expression: ")[2]
            message = (
                f"{shown(pattern.constant)} is not a pattern: {why}. Patterns are those of RE2 "
                "(github.com/google/re2/wiki/Syntax), without backreferences and lookaround."
            )
            yield pattern.offset, message


def _doubts(root: Node) -> Iterator[Fault]:
    return chain(
        _attribute_doubts(root),
        _division_doubts(root),
        _conversion_doubts(root),
        _overflow_doubts(root),
    )


def _attribute_doubts(root: Node) -> Iterator[Fault]:
    """An attribute that is read, and nowhere asked for first."""
    asked = {
        str(call.children[0].constant)
        for call in _calls(root, "@in")
        if _is_attributes(call.children[1])
    }
    read: list[tuple[Node, str | None]] = []
    for node in root.walk():
        if node.kind is NodeKind.FIELD and _is_attributes(node.children[0]):
            if node.asked:
                asked.add(node.name)
            else:
                read.append((node, node.name))
        elif node.kind is NodeKind.CALL and node.name == "_[_]":
            key = node.children[1].constant if _is_attributes(node.children[0]) else None
            read.append((node, key if isinstance(key, str) else None))
    for node, key in read:
        if key is None:
            yield node.offset, f"This fails where there is no such entry, {_HOLDS}."
        elif key not in asked:
            message = (
                f"This fails for an account without the attribute {shown(key)}, {_HOLDS}. Ask for "
                f"it first: {shown(key)} in account.attributes && ..."
            )
            yield node.offset, message


def _is_attributes(node: Node) -> bool:
    return node.kind is NodeKind.NAME and node.name == _ATTRIBUTES


def _division_doubts(root: Node) -> Iterator[Fault]:
    for call in _calls(root, *_DIVISIONS):
        divisor = call.children[1]
        if divisor.kind is not NodeKind.CONSTANT or divisor.constant == 0:
            yield call.offset, f"This fails if what is divided by is 0, {_HOLDS}."


def _conversion_doubts(root: Node) -> Iterator[Fault]:
    for call in _calls(root, *_CONVERSIONS):
        if all(child.constant is None for child in call.children):
            yield call.offset, f"{call.name}() fails for what it cannot read, {_HOLDS}."


def _overflow_doubts(root: Node) -> Iterator[Fault]:
    for call in _calls(root, *_SUMS, _PRODUCT):
        if _most(call) > _LARGEST >= max(map(_most, call.children)):
            yield call.offset, f"This fails if the number becomes too large, {_HOLDS}."


def _most(node: Node) -> int:
    """The largest whole number that this can be, as far as it is easily told; 0 for all else."""
    if node.kind is NodeKind.CONSTANT:
        return abs(node.constant) if isinstance(node.constant, int) else 0
    if _is_fact(node):
        return _LARGEST_FACT if CATALOG[node.name].type is FactType.INT else 0
    if node.kind is not NodeKind.CALL:
        return 0
    if node.name in _SUMS:
        return sum(map(_most, node.children))
    if node.name == _PRODUCT:
        return prod(map(_most, node.children))
    return _LARGEST if node.name == "int" else 0

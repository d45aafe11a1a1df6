"""Whether a condition over measures can hold at all, by the bounds of what each function gives.

Each side of a condition narrows what the measures may be; where nothing is left it cannot hold.
What is no comparison of a measure with a number narrows nothing, so a condition that is called
impossible is impossible, and one that is not may still be.
"""

from collections.abc import Mapping
from math import inf, nextafter
from typing import NamedTuple

from gateway.policy.behaviour import Measure
from gateway.policy.cel_tree import Node, NodeKind
from gateway.policy.measure_functions import TAKES


class Range(NamedTuple):
    least: float
    most: float


Ranges = Mapping[str, Range]

_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_CONTRARY = {
    "_<_": "_>=_",
    "_<=_": "_>_",
    "_>_": "_<=_",
    "_>=_": "_<_",
    "_==_": "_!=_",
    "_!=_": "_==_",
}


def ranges(measures: tuple[Measure, ...]) -> Ranges:
    return {
        one.name: Range(TAKES[one.function].least, TAKES[one.function].most) for one in measures
    }


def can_be(root: Node, known: Ranges, *, holds: bool) -> bool:
    """Whether the condition can hold or, with `holds` False, fail to."""
    return _narrowed(root, known, holds=holds) is not None


def _narrowed(node: Node, known: Ranges, *, holds: bool) -> Ranges | None:
    """What the measures may be if it holds; None if it cannot."""
    if node.kind is not NodeKind.CALL:
        return known
    if node.name == "!_":
        return _narrowed(node.children[0], known, holds=not holds)
    if node.name in ("_&&_", "_||_"):
        left, right = node.children
        if (node.name == "_&&_") is holds:
            one = _narrowed(left, known, holds=holds)
            return None if one is None else _narrowed(right, one, holds=holds)
        return _either(_narrowed(left, known, holds=holds), _narrowed(right, known, holds=holds))
    return _compared(node, known, holds=holds)


def _either(one: Ranges | None, other: Ranges | None) -> Ranges | None:
    if one is None or other is None:
        return other if one is None else one
    return {
        name: Range(min(of.least, other[name].least), max(of.most, other[name].most))
        for name, of in one.items()
    }


def _compared(node: Node, known: Ranges, *, holds: bool) -> Ranges | None:
    name = node.name
    if name not in _CONTRARY:
        return known
    left, right = node.children
    if right.kind is NodeKind.NAME:
        left, right, name = right, left, _MIRRORED.get(name, name)
    number = right.constant
    if left.name not in known or left.kind is not NodeKind.NAME or not isinstance(number, float):
        return known
    narrowed = _met(known[left.name], name if holds else _CONTRARY[name], number)
    if narrowed.least > narrowed.most:
        return None
    return {**known, left.name: narrowed}


def _met(of: Range, operator: str, number: float) -> Range:
    match operator:
        case "_<_":
            return Range(of.least, min(of.most, nextafter(number, -inf)))
        case "_<=_":
            return Range(of.least, min(of.most, number))
        case "_>_":
            return Range(max(of.least, nextafter(number, inf)), of.most)
        case "_>=_":
            return Range(max(of.least, number), of.most)
        case "_==_":
            return Range(max(of.least, number), min(of.most, number))
        case _:
            return of

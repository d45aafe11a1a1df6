"""A checked CEL expression as a Python expression, which costs a fraction of asking CEL.

The usual subset is translated: facts, constants, comparisons, `&&`, `||`, `!`, `? :`, arithmetic,
`in`, `size`, tests of texts, patterns (RE2, as in CEL) and `prompt.matches`. For anything else
there is None, and CEL is asked.

What is made here either gives CEL's own value or raises; then CEL is asked, too, and says whether
the expression fails or, since `&&` and `||` may do without the side that failed, what it is.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import re2

from gateway.policy.cel_tree import Node, NodeKind

_LEAST, _MOST = -(2**63), 2**63 - 1
"""Of CEL's whole numbers."""

_COMPARED: Mapping[str, type[ast.cmpop]] = {
    "less": ast.Lt,
    "less_equals": ast.LtE,
    "greater": ast.Gt,
    "greater_equals": ast.GtE,
}
_ORDERED = ("int64", "double", "string")
_COMPARISONS: Mapping[str, type[ast.cmpop]] = {
    "equals": ast.Eq,
    "not_equals": ast.NotEq,
    "in_map": ast.In,
    "in_list": ast.In,
    **{f"{name}_{of}": made for name, made in _COMPARED.items() for of in _ORDERED},
}
_PLAIN_ARITHMETIC: Mapping[str, type[ast.operator]] = {
    "add_double": ast.Add,
    "subtract_double": ast.Sub,
    "multiply_double": ast.Mult,
    "divide_double": ast.Div,
    "add_string": ast.Add,
}
_METHODS = {"starts_with_string": "startswith", "ends_with_string": "endswith"}
_SIZES = tuple(name for of in ("string", "list", "map") for name in (f"size_{of}", f"{of}_size"))
_PATTERNS = ("matches", "matches_string")


def _whole(number: int) -> int:
    if not _LEAST <= number <= _MOST:
        raise OverflowError
    return number


def _added(left: int, right: int) -> int:
    return _whole(left + right)


def _subtracted(left: int, right: int) -> int:
    return _whole(left - right)


def _multiplied(left: int, right: int) -> int:
    return _whole(left * right)


def _divided(left: int, right: int) -> int:
    """Towards 0, as in CEL."""
    quotient = abs(left) // abs(right)
    return _whole(quotient if (left < 0) is (right < 0) else -quotient)


def _remaining(left: int, right: int) -> int:
    """With the sign of what is divided, as in CEL."""
    if left == _LEAST and right == -1:
        raise OverflowError  # so it is in CEL
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def _negated(number: int) -> int:
    return _whole(-number)


def _found(search: Callable[[str], object], text: str) -> bool:
    return search(text) is not None


_CALLS: Mapping[str, tuple[str, Callable[..., Any]]] = MappingProxyType(
    {
        "add_int64": ("_added", _added),
        "subtract_int64": ("_subtracted", _subtracted),
        "multiply_int64": ("_multiplied", _multiplied),
        "divide_int64": ("_divided", _divided),
        "modulo_int64": ("_remaining", _remaining),
        "negate_int64": ("_negated", _negated),
        "int64_to_double": ("_float", float),
        "contains_string": ("_contains", operator.contains),
        **dict.fromkeys(_SIZES, ("_len", len)),
    }
)
"""Overloads of CEL, by the function that does the same, and its name in what is made."""

PROVIDED: Mapping[str, Any] = {
    **dict(_CALLS.values()),
    "_found": _found,
}
"""What expressions may call, by name. Patterns come beside it: `Translation.patterns`."""


class Translation:
    """Makes Python expressions that belong into one function."""

    def __init__(self, read: Callable[[str], ast.expr | None]) -> None:
        """`read`: how a name's value is got at; None if it cannot be."""
        self._read = read
        self.patterns: dict[str, Any] = {}
        """Compiled ones, by the name under which the expressions use them."""

    def of(self, node: Node) -> ast.expr | None:
        """None if it is beyond the subset."""
        match node.kind:
            case NodeKind.CONSTANT:
                return None if node.constant is None else ast.Constant(node.constant)
            case NodeKind.NAME:
                return self._read(node.name)
            case NodeKind.LIST:
                entries = self._each(node)
                return None if entries is None else ast.List(entries, ast.Load())
            case NodeKind.FIELD:
                return self._field(node)
            case NodeKind.CALL:
                return self._call(node)
            case _:
                return None

    def _each(self, node: Node) -> list[ast.expr] | None:
        found = [self.of(child) for child in node.children]
        made = [one for one in found if one is not None]
        return made if len(made) == len(found) else None

    def _field(self, node: Node) -> ast.expr | None:
        inside = self.of(node.children[0])
        if inside is None:
            return None
        if node.asked:
            return ast.Compare(ast.Constant(node.name), [ast.In()], [inside])
        return ast.Subscript(inside, ast.Constant(node.name), ast.Load())

    def _call(self, node: Node) -> ast.expr | None:
        overload = node.overload
        if overload in _PATTERNS:
            return self._pattern(node)
        if overload == "in_list" and (listed := _constants(node.children[1])) is not None:
            left = self.of(node.children[0])
            return left and ast.Compare(left, [ast.In()], [listed])
        sides = self._each(node)
        if sides is None:
            return None
        if overload == "prompt_matches":
            known = self._read("prompt.matches")
            return known and ast.Compare(sides[0], [ast.In()], [known])
        return _call(overload, sides)

    def _pattern(self, node: Node) -> ast.expr | None:
        text, pattern = self.of(node.children[0]), node.children[1].constant
        if text is None or not isinstance(pattern, str):
            return None
        name = f"_pattern{len(self.patterns)}"
        self.patterns[name] = re2.compile(pattern).search
        return _called("_found", [ast.Name(name, ast.Load()), text])


_Sides = list[ast.expr]

_SHAPES: Mapping[str, Callable[[_Sides], ast.expr]] = MappingProxyType(
    {
        "logical_and": lambda sides: ast.BoolOp(ast.And(), sides),
        "logical_or": lambda sides: ast.BoolOp(ast.Or(), sides),
        "logical_not": lambda sides: ast.UnaryOp(ast.Not(), sides[0]),
        "negate_double": lambda sides: ast.UnaryOp(ast.USub(), sides[0]),
        "conditional": lambda sides: ast.IfExp(*sides),
        "index_map": lambda sides: ast.Subscript(sides[0], sides[1], ast.Load()),
    }
)


def _call(overload: str, sides: _Sides) -> ast.expr | None:
    if overload in _SHAPES:
        return _SHAPES[overload](sides)
    if overload in _COMPARISONS:
        return ast.Compare(sides[0], [_COMPARISONS[overload]()], [sides[1]])
    if overload in _PLAIN_ARITHMETIC:
        return ast.BinOp(sides[0], _PLAIN_ARITHMETIC[overload](), sides[1])
    if overload in _METHODS:
        method = ast.Attribute(sides[0], _METHODS[overload], ast.Load())
        return ast.Call(method, sides[1:], [])
    return _called(_CALLS[overload][0], sides) if overload in _CALLS else None


def _called(name: str, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])


def _constants(node: Node) -> ast.Set | None:
    """Of a list of texts that all stand there: what is in it is found at once."""
    texts = [child.constant for child in node.children if isinstance(child.constant, str)]
    plain = node.kind is NodeKind.LIST and texts and len(texts) == len(node.children)
    return ast.Set([ast.Constant(text) for text in texts]) if plain else None


def function(
    name: str, arguments: list[str], body: list[ast.stmt], provided: Mapping[str, Any]
) -> Callable[..., Any]:
    """The Python function with this body, which may use what is `provided`, by name."""
    parameters = [ast.arg(argument) for argument in arguments]
    made = ast.FunctionDef(
        name=name,
        args=ast.arguments([], parameters, None, [], [], None, []),
        body=body,
        decorator_list=[],
    )
    module = ast.fix_missing_locations(ast.Module([made], []))
    inside = {"__builtins__": {}, **PROVIDED, **provided}
    exec(compile(module, "<CEL>", "exec"), inside)  # noqa: S102  our tree: no text is read as code
    found: Callable[..., Any] = inside[name]
    return found
